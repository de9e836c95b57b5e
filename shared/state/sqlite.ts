import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { privateDirectoryOf, privateFile } from '../../events/private-files.ts';
import { type Incident, lookDue } from '../incident.ts';
import { byAge, type State } from './state.ts';

const TABLES = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS incidents (id TEXT PRIMARY KEY, key TEXT NOT NULL, ordinal INTEGER NOT NULL, revision INTEGER NOT NULL,
    unfinished INTEGER NOT NULL, updated INTEGER NOT NULL, record TEXT NOT NULL, UNIQUE (key, ordinal));
  CREATE INDEX IF NOT EXISTS unfinished ON incidents (unfinished) WHERE unfinished = 1;
  CREATE INDEX IF NOT EXISTS looking ON incidents (json_extract(record, '$.look.at')) WHERE unfinished = 0;
  CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS spent (scope TEXT, execution TEXT, at INTEGER NOT NULL, PRIMARY KEY (scope, execution));
  CREATE TABLE IF NOT EXISTS tallies (scope TEXT, incident TEXT, PRIMARY KEY (scope, incident));
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

/** What kubemend keeps in a state folder. */
const OWN = /^(kubemend\.sqlite.*|artifacts|recording|exporter)$/;

/** The database cannot be opened: the message names its path. */
export class StateFileError extends Error {
  override name = 'StateFileError';
}

/** Opens the database of a path, or makes it with its folder, for nobody else to read. Throws StateFileError. */
export function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') {
      privateDirectoryOf(dirname(path), OWN);
      // SQLite would make it readable for all; a -wal and -shm that it makes later get the rights of the file.
      for (const file of [path, ...['-wal', '-shm'].map((end) => path + end).filter(existsSync)]) privateFile(file);
    }
    const database = new DatabaseSync(path);
    database.exec(TABLES);
    return database;
  } catch (error) {
    throw new StateFileError(`The state ${path} cannot be opened: ${(error as Error).message}`, { cause: error });
  }
}

/** State on `node:sqlite`: one file, several processes (the run and the command line). */
export class SqliteState implements State {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async latest(key: string): Promise<Incident | undefined> {
    return record(this.#database.prepare('SELECT record FROM incidents WHERE key = ? ORDER BY ordinal DESC LIMIT 1').get(key));
  }

  async load(id: string): Promise<Incident | undefined> {
    if (!/^[0-9a-f]{4,12}$/.test(id)) return undefined;
    const rows = this.#database.prepare('SELECT record FROM incidents WHERE id GLOB ? LIMIT 2').all(`${id}*`);
    return rows.length === 1 ? record(rows[0]) : undefined;
  }

  async save(incident: Incident, expected: number): Promise<boolean> {
    const { id, key, ordinal, revision, effects, updatedAt } = incident;
    const row = [revision, effects.length > 0 ? 1 : 0, updatedAt, JSON.stringify(incident)] as const;
    const sql =
      expected === 0
        ? 'INSERT OR IGNORE INTO incidents (revision, unfinished, updated, record, id, key, ordinal) VALUES (?, ?, ?, ?, ?, ?, ?)'
        : 'UPDATE incidents SET revision = ?, unfinished = ?, updated = ?, record = ? WHERE id = ? AND revision = ?';
    const rest = expected === 0 ? [id, key, ordinal] : [id, expected];
    return this.#database.prepare(sql).run(...row, ...rest).changes === 1;
  }

  async list({ unfinished = false, limit = 1_000 } = {}): Promise<Incident[]> {
    const where = unfinished ? 'WHERE unfinished = 1' : '';
    const rows = this.#database.prepare(`SELECT record FROM incidents ${where} ORDER BY updated DESC, id LIMIT ?`).all(limit);
    return rows.flatMap((row) => record(row) ?? []);
  }

  async left({ touched, due }: { touched: number; due: number }, limit = 1_000): Promise<Incident[]> {
    const old = this.#database.prepare('SELECT record FROM incidents WHERE unfinished = 1 AND updated < ? ORDER BY updated LIMIT ?');
    const column = `json_extract(record, '$.look.at')`;
    const late = this.#database.prepare(`SELECT record FROM incidents WHERE unfinished = 0 AND ${column} < ? ORDER BY ${column}`);
    const found = old.all(touched, limit).flatMap((row) => record(row) ?? []);
    const looks = late.all(due).flatMap((row) => record(row) ?? []);
    return byAge([...found, ...looks.filter((incident) => lookDue(incident) !== undefined)]).slice(0, limit);
  }

  async lease(name: string, owner: string, until: number, now: number): Promise<boolean> {
    const sql = `INSERT INTO leases (name, owner, until) VALUES (?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until <= ?`;
    return this.#database.prepare(sql).run(name, owner, until, now).changes === 1;
  }

  async release(name: string, owner: string): Promise<void> {
    this.#database.prepare('DELETE FROM leases WHERE name = ? AND owner = ?').run(name, owner);
  }

  async spend({ scope, execution, at, since, limit }: Parameters<State['spend']>[0]): Promise<boolean> {
    // One statement: counting and inserting cannot be divided by another process.
    const sql = `INSERT OR IGNORE INTO spent (scope, execution, at) SELECT ?, ?, ?
      WHERE (SELECT count(*) FROM spent WHERE scope = ? AND at > ?) < ?`;
    this.#database.prepare(sql).run(scope, execution, at, scope, since, limit);
    return this.#database.prepare('SELECT 1 FROM spent WHERE scope = ? AND execution = ?').get(scope, execution) !== undefined;
  }

  async tally(scope: string, incident: string): Promise<void> {
    this.#database.prepare('INSERT OR IGNORE INTO tallies (scope, incident) VALUES (?, ?)').run(scope, incident);
  }

  async tallied(scope: string): Promise<number> {
    return Number(this.#database.prepare('SELECT count(*) AS n FROM tallies WHERE scope = ?').get(scope)?.n);
  }

  async tallies(): Promise<Record<string, number>> {
    const rows = this.#database.prepare('SELECT scope, count(*) AS n FROM tallies GROUP BY scope ORDER BY scope').all();
    return Object.fromEntries(rows.map(({ scope, n }) => [scope as string, Number(n)]));
  }

  async reset(scope: string): Promise<void> {
    this.#database.prepare('DELETE FROM tallies WHERE scope = ? OR substr(scope, 1, length(?) + 1) = ?').run(scope, scope, `${scope}/`);
  }

  async setting(name: string): Promise<string | undefined> {
    return this.#database.prepare('SELECT value FROM settings WHERE name = ?').get(name)?.value as string | undefined;
  }

  async set(name: string, value: string | undefined): Promise<void> {
    if (value === undefined) this.#database.prepare('DELETE FROM settings WHERE name = ?').run(name);
    else this.#database.prepare('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)').run(name, value);
  }

  async settings(): Promise<Record<string, string>> {
    const rows = this.#database.prepare('SELECT name, value FROM settings ORDER BY name').all();
    return Object.fromEntries(rows.map(({ name, value }) => [name as string, value as string]));
  }
}

const record = (row: unknown): Incident | undefined => (row ? (JSON.parse((row as { record: string }).record) as Incident) : undefined);
