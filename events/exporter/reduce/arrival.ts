import type { AuditRecord } from '../audit/audit-record.ts';

/** How far an event of a live source may be ahead of the receiver's clock: no further than a request and its watch event may lie apart. */
const MAX_AHEAD_MS = 2_000;
/** The same for a source that reads the API server's own log: nobody but the API server writes there, and its clock may differ. */
export const MAX_AHEAD_IN_LOG_MS = 60_000;
/**
 * How old an event of a live source may be. The API server collects a batch for 30 s, then tries five times, 30 s each and 81 s of pauses between: after
 * 261 s it drops the batch.
 */
const MAX_LATE_MS = 300_000;

/** When a record arrived, by the receiver's clock, and which timestamps that allows. Milliseconds. */
export interface Arrival {
  at: number;
  ahead: number;
  /** Absent for a source that may deliver old events from a checkpoint. */
  late?: number;
}

/** An event that a live source delivers now: the webhook. */
export const deliveredLive = (at: number): Arrival => ({ at, ahead: MAX_AHEAD_MS, late: MAX_LATE_MS });

/** An event that was read from a log or a recording when the receiver's clock said `at`: it may be old. */
export const readFromLog = (at: number): Arrival => ({ at, ahead: MAX_AHEAD_IN_LOG_MS });

/**
 * The record as it is counted. An audit timestamp is a claim: windows follow the receiver's clock, so a record with a timestamp out of range is counted
 * when it arrived, and marked.
 */
export function placed<T extends AuditRecord>(record: T, { at, ahead, late }: Arrival): T {
  const isPlausible = record.at <= at + ahead && (late === undefined || record.at >= at - late);
  return isPlausible ? record : { ...record, at, skewed: true };
}
