import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as breathe } from 'node:timers/promises';
import { milliseconds } from '../../shared/duration.ts';
import type { Remediation } from '../../shared/remediation.ts';
import { expireIncidents, expireTheRest, shrink } from '../../shared/state/sqlite-retention.ts';

/** How long ended incidents are kept unless it is said otherwise: as long as in DynamoDB. */
export const RETENTION_MS = milliseconds('90d');
const EVERY_MS = milliseconds('1h');
/** Failures that one transaction removes: events and audit requests are taken between two. */
const STEP = 200;
/** A Slack message outlives its incident, so that nothing is posted twice. */
const LETTERS_FACTOR = 2;
const LEASES_KEPT_MS = milliseconds('1d');

export interface RetentionOptions {
  database: DatabaseSync;
  remediations: Remediation[];
  /** Milliseconds. */
  retention: number;
  now(): number;
  /** Why nothing may be removed now; undefined: it may. */
  mayAct(): string | undefined;
  onProblem(message: string): void;
}

/** Removes what is older than the retention, now and once an hour. Gives what ends it, after the step at hand. */
export function startRetention(options: RetentionOptions): () => Promise<void> {
  const stopping = new AbortController();
  let removing: Promise<void> = Promise.resolve();
  const sweep = () => {
    removing = removing.then(() => removeOld(options, stopping.signal));
  };
  sweep();
  const timer = setInterval(sweep, EVERY_MS);
  return async () => {
    clearInterval(timer);
    stopping.abort();
    await removing;
  };
}

/** Never rejects. */
export async function removeOld(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  const { database, remediations, retention, now, mayAct, onProblem } = options;
  const goesOn = (): boolean => !signal.aborted && mayAct() === undefined;
  const budgets = remediations.flatMap(({ limits: { perObject, perRemediation, overall } }) => [perObject, perRemediation, overall]);
  const longest = Math.max(0, ...budgets.map(({ within }) => milliseconds(within)));
  try {
    while (goesOn() && expireIncidents(database, now() - retention, STEP) > 0) await breathe();
    if (!goesOn()) return;
    expireTheRest(database, {
      spendings: now() - Math.max(retention, longest),
      letters: now() - LETTERS_FACTOR * retention,
      leases: now() - LEASES_KEPT_MS,
    });
    while (goesOn() && shrink(database)) await breathe();
  } catch (error) {
    onProblem(`Old incidents could not be removed, and are next time: ${(error as Error).message}`);
  }
}
