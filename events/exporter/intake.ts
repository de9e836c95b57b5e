import type { Envelope } from '../fact.ts';
import { asRecord } from './as-record.ts';
import type { ParseLines } from './audit/audit-lines.ts';
import { readAuditEvent } from './audit/audit-record.ts';
import { type AuditSelector, auditSelector, type Selection } from './audit/audit-selector.ts';
import { deliveredLive, readFromLog } from './reduce/arrival.ts';
import { timeOf } from './reduce/counted.ts';
import { Reducer } from './reduce/reduce.ts';
import type { ReducerOptions } from './reduce/reducer-options.ts';
import type { Journal } from './spool/journal.ts';
import type { SpoolEntry } from './spool/spool.ts';
import type { Wait } from './wait.ts';
import type { WatchEvent } from './watch/watch-event.ts';

/** Is shown every event before it is reduced. */
export interface Recorder {
  watch(event: WatchEvent): void;
  audit(event: unknown): void;
}

/** How an intake is set up. */
export interface IntakeOptions extends Omit<ReducerOptions, 'onCounted'> {
  now(): number;
  record?: Recorder;
  wait: Wait;
  onProblem(message: string): void;
}

/** The name of the webhook as a source of audit. */
export const AUDIT_WEBHOOK = 'audit-webhook';
/**
 * The API server sends a batch five times in about 81 s (10, 15, 22.5 and 34 s apart) before it drops it. Silence of ours that is shorter than
 * this loses nothing; of a longer one nobody knows what was in it. Milliseconds.
 */
export const BRIDGED = 60_000;
/** Entries that are not durable yet, above which a watch waits for them. */
const CROWDED = 5_000;
const LOOK_AGAIN = 1_000;

/** Where everything comes in: it is reduced, and what has to outlive this process goes into the journal. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #noted: SpoolEntry[] = [];
  readonly #dropped: Record<string, number> = {};
  readonly #selector: AuditSelector;
  readonly reducer: Reducer;
  /** Milliseconds of the newest event, by source of audit. */
  readonly newest: Record<string, number> = {};
  #journal: Journal | undefined;
  #refusedSince: number | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.reducer = new Reducer({
      ...options,
      onCounted: (counted) => void this.#noted.push({ kind: 'counted', at: timeOf(counted), entry: counted }),
    });
    this.#selector = auditSelector(this.reducer.resources);
  }

  /** Picks what the rules are about out of the body of a webhook; undefined when it must be parsed whole. */
  select(body: Buffer): unknown[] | undefined {
    const selection = this.#selector.list(body);
    return selection && this.#saw(selection, AUDIT_WEBHOOK).events;
  }

  /** Picks what the rules are about out of lines of a log. */
  parse(source: string): ParseLines {
    return (lines) => this.#saw(this.#selector.lines(lines), source);
  }

  /** From now on everything goes there. */
  open(journal: Journal): void {
    this.#journal = journal;
  }

  /** Takes audit.k8s.io/v1 Events; resolves when what they led to is durable. Rejects when it is not: send all of them again. */
  async audit(events: unknown[], source: string): Promise<void> {
    const { now } = this.#options;
    if (this.isBlocked(source)) throw this.#open.refusal();
    if (source === AUDIT_WEBHOOK && this.#refusedSince !== undefined) {
      if (now() - this.#refusedSince > BRIDGED) this.reducer.auditGap(this.#refusedSince, now());
      this.#refusedSince = undefined;
    }
    const arrival = source === AUDIT_WEBHOOK ? deliveredLive(now()) : readFromLog(now());
    const malformed: string[] = [];
    const facts: Envelope[] = [];
    for (const event of events) {
      this.#options.record?.audit(event);
      const reading = readAuditEvent(event);
      if (reading.kind === 'malformed') malformed.push(reading.because);
      else if (reading.kind === 'record') for (const fact of this.reducer.audit(reading.record, arrival)) facts.push(fact);
    }
    this.#newer(Date.parse(String(asRecord(events.at(-1)).stageTimestamp)), source);
    if (malformed.length > 0) {
      this.dropped(malformed.length, 'malformed');
      this.#options.onProblem(
        `${malformed.length} of ${events.length} audit events were malformed and not counted; the first: ${malformed[0]}`,
      );
    }
    // Also without anything new: a repeat may be about what the first delivery could not make durable.
    await this.#keep(facts);
  }

  /** Takes one line of a watch, in the end; while nothing can be kept, it waits. */
  async watch(event: WatchEvent, signal: AbortSignal): Promise<void> {
    while (this.#open.isBlocked && !signal.aborted) await this.#options.wait(LOOK_AGAIN, signal);
    this.#options.record?.watch(event);
    const facts = this.reducer.watch(event);
    if (facts.length === 0 && this.#noted.length === 0) return;
    const kept = this.#keep(facts).catch(() => {});
    if (this.#open.held > CROWDED) await kept;
  }

  /** Lets time pass; call it about every second. */
  async tick(): Promise<void> {
    if (this.#open.isBlocked) return this.#open.retry();
    const facts = this.reducer.tick(this.#options.now());
    if (facts.length > 0 || this.#noted.length > 0) void this.#keep(facts).catch(() => {});
  }

  /** True when nothing new can be kept. The webhook's refusals are remembered: a long one is a gap. */
  isBlocked(source?: string): boolean {
    const blocked = this.#open.isBlocked;
    if (blocked && source === AUDIT_WEBHOOK) this.#refusedSince ??= this.#options.now();
    return blocked;
  }

  /** Counts records that were lost before they came here. */
  dropped(count: number, reason: string): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
    this.reducer.reportDropped(count);
  }

  /** Lost records by reason. */
  drops(): Record<string, number> {
    const { overflow, forgotten, rejectedDropped } = this.reducer.stats();
    return {
      ...this.#dropped,
      ...(overflow > 0 && { 'too-many-objects': overflow }),
      ...(forgotten > 0 && { 'too-many-writes': forgotten }),
      ...(rejectedDropped > 0 && { 'too-many-rejected': rejectedDropped }),
    };
  }

  /** Rebuilds the windows from what a process before this one left; what it owed becomes durable. */
  async restore(log: Parameters<Reducer['restore']>[0]): Promise<void> {
    const facts = await this.reducer.restore(log, this.#options.now());
    const { unreadable } = this.reducer.stats();
    if (unreadable > 0) this.dropped(unreadable, 'unreadable');
    if (facts.length > 0) await this.#keep(facts).catch(() => {});
  }

  /** Events that nobody asked for tell that audit flows, and since when. */
  #saw(selection: Selection, source: string): Selection {
    this.reducer.reportIgnored(selection.ignored);
    this.#newer(selection.newest, source);
    return selection;
  }

  /** Never later than our clock: an event dated in the future must not hide that audit stopped. */
  #newer(stamp: number | undefined, source: string): void {
    const at = Math.min(stamp ?? 0, this.#options.now());
    if (at > (this.newest[source] ?? 0)) this.newest[source] = at;
  }

  #keep(facts: Envelope[]): Promise<void> {
    const entries = facts.map((fact): SpoolEntry => ({ kind: 'fact', fact }));
    for (const noted of this.#noted.splice(0)) entries.push(noted);
    return this.#open.write(entries);
  }

  get #open(): Journal {
    if (!this.#journal) throw new Error('The exporter has not started: call start() first.');
    return this.#journal;
  }
}
