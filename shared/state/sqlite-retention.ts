import type { DatabaseSync } from 'node:sqlite';
import type { Incident } from '../incident.ts';
import { countFailure, severityOf } from './sqlite-incidents.ts';
import { inTransaction } from './sqlite-transaction.ts';

/** What is old enough to be removed, milliseconds since the epoch. */
export interface Cutoffs {
  /** Failures whose incidents all ended and were last changed before this. */
  incidents: number;
  /** Executions that were spent before this: before the longest window of any budget. */
  spendings: number;
  /** Slack messages last stored before this: longer ago than `incidents`, so that nothing is posted twice. */
  letters: number;
  /** Leases that ended before this. */
  leases: number;
}

/** Pages that one step gives back to the file system: a step stays short. */
const PAGES = 1_000;

/**
 * Removes up to `limit` failures that are over, with all their incidents: an incident never loses the one it follows. Gives how many
 * incidents were removed; 0: there are no more. What an open incident, a budget, a breaker or a Slack thread needs stays.
 */
export function expireIncidents(database: DatabaseSync, before: number, limit: number): number {
  return inTransaction(database, () => {
    const over = database
      .prepare(`SELECT DISTINCT root FROM incidents AS old WHERE updated < ? AND open = 0 AND queue = 'idle' AND NOT EXISTS (
          SELECT 1 FROM incidents AS other WHERE other.root = old.root AND (other.open = 1 OR other.queue <> 'idle' OR other.updated >= ?))
        LIMIT ?`)
      .all(before, before, limit) as { root: string }[];
    const first = database.prepare('SELECT record FROM incidents WHERE root = ? LIMIT 1');
    let removed = 0;
    for (const { root } of over) {
      const incident = JSON.parse((first.get(root) as { record: string }).record) as Incident;
      countFailure(database, incident, severityOf(database, root), -1);
      database.prepare('DELETE FROM schedule WHERE incident IN (SELECT id FROM incidents WHERE root = ?)').run(root);
      removed += Number(database.prepare('DELETE FROM incidents WHERE root = ?').run(root).changes);
    }
    return removed;
  });
}

/** Removes what is left behind beside incidents. Breakers count until a person resets them, so they stay. */
export function expireTheRest(database: DatabaseSync, { spendings, letters, leases }: Omit<Cutoffs, 'incidents'>): void {
  database.prepare('DELETE FROM spent WHERE at < ?').run(spendings);
  database.prepare('DELETE FROM leases WHERE until < ?').run(leases);
  database.prepare('DELETE FROM statistics WHERE n = 0').run();
  // A thread stays as long as one of the incidents it is about; what decides about storms is one row per remediation.
  database
    .prepare(`DELETE FROM slack_letters WHERE pending IS NULL AND saved < ? AND (
        (json_extract(letter, '$.kind') = 'incident' AND key NOT IN (SELECT id FROM incidents))
        OR (json_extract(letter, '$.kind') = 'storm' AND NOT EXISTS (
          SELECT 1 FROM json_each(letter, '$.members') AS member WHERE json_extract(member.value, '$.incident') IN (SELECT id FROM incidents))))`)
    .run(letters);
}

/** Gives free pages back to the file system, some at a time; true: there are more. */
export function shrink(database: DatabaseSync): boolean {
  const free = (): number => Number(database.prepare('PRAGMA freelist_count').get()?.freelist_count);
  const before = free();
  if (before > 0) database.exec(`PRAGMA incremental_vacuum(${PAGES})`);
  const after = free();
  return after > 0 && after < before;
}
