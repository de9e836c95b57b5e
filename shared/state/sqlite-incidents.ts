import type { DatabaseSync } from 'node:sqlite';
import { hasEnded, type Incident, lookDue, wasFailure } from '../incident.ts';
import { judge, SEVERITIES } from '../statistics.ts';

/** The columns beside an incident's record: all that a query filters or sorts by. */
export interface IncidentColumns {
  id: string;
  key: string;
  ordinal: number;
  revision: number;
  updated: number;
  /** `pending`: work in the outbox, due since its last change. `scheduled`: a recheck is due at `due`. `idle`: nothing more happens by itself. */
  queue: 'pending' | 'scheduled' | 'idle';
  due: number;
  open: 0 | 1;
  /** Whether it ever was more than a suspicion. */
  failure: 0 | 1;
  /** How its plan is judged, as an index of SEVERITIES; null: it never came to a plan. */
  severity: number | null;
}

/** What is stored of an incident beside its record. */
export function columnsOf(incident: Incident): IncidentColumns {
  const { id, key, ordinal, revision, updatedAt, effects, state } = incident;
  const recheck = lookDue(incident);
  const judgement = judge(incident);
  return {
    ...{ id, key, ordinal, revision, updated: updatedAt },
    queue: effects.length > 0 ? 'pending' : recheck === undefined ? 'idle' : 'scheduled',
    due: effects.length > 0 ? updatedAt : (recheck ?? updatedAt),
    open: hasEnded(state) ? 0 : 1,
    failure: wasFailure(incident) ? 1 : 0,
    severity: judgement === undefined ? null : SEVERITIES.indexOf(judgement),
  };
}

/** The incident a failure began with: what a person asked for again (`after`) belongs to it. */
export function rootOf(database: DatabaseSync, { id, after = id }: Pick<Incident, 'id' | 'after'>): string {
  return (database.prepare('SELECT root FROM incidents WHERE id = ?').get(after)?.root as string | undefined) ?? after;
}

/** How a failure is judged: as the worst of its incidents. Undefined: none came to a plan. */
export function severityOf(database: DatabaseSync, root: string): number | undefined {
  const row = database.prepare('SELECT max(severity) AS severity FROM incidents WHERE root = ?').get(root);
  return (row?.severity as number | null | undefined) ?? undefined;
}

/** Inserts an incident; false where the id, or the key and ordinal, are taken. The record is the incident as JSON. */
export function insertIncident(database: DatabaseSync, columns: IncidentColumns, root: string, record: string): boolean {
  const { id, key, ordinal, revision, updated, queue, due, open, failure, severity } = columns;
  const insert = database.prepare(`INSERT OR IGNORE INTO incidents
    (id, key, ordinal, revision, updated, queue, due, open, failure, severity, root, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return insert.run(id, key, ordinal, revision, updated, queue, due, open, failure, severity, root, record).changes === 1;
}

/** Replaces the revision `expected` of an incident; false where another one is stored. */
export function updateIncident(database: DatabaseSync, columns: IncidentColumns, record: string, expected: number): boolean {
  const { id, revision, updated, queue, due, open, failure, severity } = columns;
  const update = database.prepare(`UPDATE incidents
    SET revision = ?, updated = ?, queue = ?, due = ?, open = ?, failure = ?, severity = ?, record = ? WHERE id = ? AND revision = ?`);
  return update.run(revision, updated, queue, due, open, failure, severity, record, id, expected).changes === 1;
}

/** Counts one failure more (1) or less (-1) that is judged so; nothing where it is not judged. */
export function countFailure(
  database: DatabaseSync,
  { remediation, object }: Pick<Incident, 'remediation' | 'object'>,
  severity: number | undefined,
  by: 1 | -1,
): void {
  if (severity === undefined) return;
  const sql = `INSERT INTO statistics (remediation, namespace, severity, n) VALUES (?, ?, ?, ?)
    ON CONFLICT (remediation, namespace, severity) DO UPDATE SET n = n + excluded.n`;
  database.prepare(sql).run(remediation, object.namespace ?? '', severity, by);
}
