import type { DatabaseSync } from 'node:sqlite';
import type { Incident } from '../incident.ts';
import { objectScope } from './scope.ts';
import { columnsOf } from './sqlite-incidents.ts';
import { inTransaction } from './sqlite-transaction.ts';

/** The state database was written by a newer kubemend. */
export class NewerDatabaseError extends Error {
  override name = 'NewerDatabaseError';

  constructor(found: number, known: number) {
    super(`it has schema version ${found}, and this kubemend knows versions up to ${known}. Use the newer kubemend that wrote it`);
  }
}

/**
 * What makes each schema version out of the one before it; the first makes version 1. A migration that was released is never edited: append one.
 * Databases from before the versions (`PRAGMA user_version` is 0) have the tables of version 1 already.
 */
export const MIGRATIONS: readonly ((database: DatabaseSync) => void)[] = [
  function createTables(database) {
    database.exec(`
      CREATE TABLE IF NOT EXISTS incidents (id TEXT PRIMARY KEY, key TEXT NOT NULL, ordinal INTEGER NOT NULL, revision INTEGER NOT NULL,
        unfinished INTEGER NOT NULL, updated INTEGER NOT NULL, record TEXT NOT NULL, UNIQUE (key, ordinal));
      CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS spent (scope TEXT, execution TEXT, at INTEGER NOT NULL, PRIMARY KEY (scope, execution));
      CREATE TABLE IF NOT EXISTS tallies (scope TEXT, incident TEXT, PRIMARY KEY (scope, incident));
      CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS schedule (incident TEXT, kind TEXT, token INTEGER, at INTEGER NOT NULL, PRIMARY KEY (incident, kind));
      CREATE TABLE IF NOT EXISTS slack_letters (key TEXT PRIMARY KEY, version INTEGER NOT NULL, pending INTEGER, letter TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS slack_pending ON slack_letters (pending) WHERE pending IS NOT NULL;`);
  },

  function indexIncidents(database) {
    // The record stands last: SQLite walks through a long value to reach the columns behind it.
    database.exec(`
      ALTER TABLE incidents RENAME TO incidents_v1;
      CREATE TABLE incidents (id TEXT PRIMARY KEY, key TEXT NOT NULL, ordinal INTEGER NOT NULL, revision INTEGER NOT NULL,
        updated INTEGER NOT NULL, queue TEXT NOT NULL, due INTEGER NOT NULL, open INTEGER NOT NULL, failure INTEGER NOT NULL,
        root TEXT NOT NULL, severity INTEGER, record TEXT NOT NULL, UNIQUE (key, ordinal));
      CREATE TABLE statistics (remediation TEXT NOT NULL, namespace TEXT NOT NULL, severity INTEGER NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (remediation, namespace, severity)) WITHOUT ROWID;`);
    const old = database.prepare('SELECT record FROM incidents_v1 ORDER BY key, ordinal');
    const insert = database.prepare(`INSERT INTO incidents
      (id, key, ordinal, revision, updated, queue, due, open, failure, severity, root, record)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce((SELECT root FROM incidents WHERE id = ?), ?), ?)`);
    // In this order an incident comes before the one that follows it.
    for (const row of old.iterate()) {
      const { record } = row as { record: string };
      const incident = JSON.parse(record) as Incident;
      const { id, key, ordinal, revision, updated, queue, due, open, failure, severity } = columnsOf(incident);
      const { after = id } = incident;
      insert.run(id, key, ordinal, revision, updated, queue, due, open, failure, severity, after, after, record);
    }
    database.exec(`
      INSERT INTO statistics (remediation, namespace, severity, n)
        SELECT remediation, namespace, severity, count(*) FROM (
          SELECT min(json_extract(record, '$.remediation')) AS remediation, max(severity) AS severity,
            min(coalesce(json_extract(record, '$.object.namespace'), '')) AS namespace
          FROM incidents WHERE severity IS NOT NULL GROUP BY root)
        GROUP BY 1, 2, 3;`);
    database.exec(`
      DROP TABLE incidents_v1;
      CREATE INDEX incidents_due ON incidents (queue, due);
      CREATE INDEX incidents_updated ON incidents (updated DESC, id, failure, open, queue, root);
      CREATE INDEX incidents_root ON incidents (root, severity, open, queue, updated);
      CREATE INDEX schedule_at ON schedule (at, incident);
      ALTER TABLE slack_letters ADD COLUMN saved INTEGER NOT NULL DEFAULT 0;`);
    database.prepare('UPDATE slack_letters SET saved = ?').run(Date.now());
  },

  /** Keys began with the cluster; they begin with the remediation (`open.ts`). */
  function putRemediationFirst(database) {
    const keys = database.prepare(`SELECT DISTINCT key, json_extract(record, '$.cluster') AS cluster,
      json_extract(record, '$.remediation') AS remediation FROM incidents`);
    const incidents = database.prepare(`UPDATE incidents SET key = ?1, record = json_set(record, '$.key', ?1) WHERE key = ?2`);
    const scopes = ['tallies', 'spent'].map((table) => database.prepare(`UPDATE ${table} SET scope = ? WHERE scope = ?`));
    for (const { key, cluster, remediation } of keys.all() as { key: string; cluster: string; remediation: string }[]) {
      const before = `${cluster}/${remediation}/`;
      if (!key.startsWith(before)) continue;
      const next = `${remediation}/${cluster}/${key.slice(before.length)}`;
      incidents.run(next, key);
      for (const scope of scopes) scope.run(objectScope(next), objectScope(key));
    }
  },

  /** When each timer was set: one that was set in the future is due (clock-step.ts). */
  function addTimerSet(database) {
    database.exec('ALTER TABLE schedule ADD COLUMN set_at INTEGER NOT NULL DEFAULT 0');
  },
];

/** Brings the database to the newest version, in one transaction; true: it was older. Throws NewerDatabaseError, and what SQLite throws. */
export function migrate(database: DatabaseSync, migrations = MIGRATIONS): boolean {
  if (versionOf(database) === migrations.length) return false;
  return inTransaction(database, () => {
    // Another process may have migrated it meanwhile.
    const version = versionOf(database);
    if (version > migrations.length) throw new NewerDatabaseError(version, migrations.length);
    for (const apply of migrations.slice(version)) apply(database);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    return version < migrations.length;
  });
}

const versionOf = (database: DatabaseSync): number => Number(database.prepare('PRAGMA user_version').get()?.user_version);
