import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { privateDirectoryOf, privateFile } from '../../events/private-files.ts';
import { MAX_CLOCK_SKEW_MS, MAX_LEASE_MS } from '../clock-step.ts';
import type { Incident } from '../incident.ts';
import { recordsFrom, SEVERITIES, type Record as Statistics } from '../statistics.ts';
import { columnsOf, countFailure, insertIncident, rootOf, severityOf, updateIncident } from './sqlite-incidents.ts';
import { migrate } from './sqlite-migrations.ts';
import { inTransaction } from './sqlite-transaction.ts';
import { byAge, type IncidentFilter, type State } from './state.ts';

/** The file shrinks after incidents expired, and the log of writes does not stay as long as it once was. */
const PRAGMAS = `
  PRAGMA busy_timeout = 5000;
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA journal_size_limit = 16777216;
`;

/** What kubemend keeps in a state folder. */
const OWN = /^(kubemend\.sqlite.*|artifacts|recording|exporter)$/;

/** The database cannot be opened: the message names its path. */
export class StateFileError extends Error {
  override name = 'StateFileError';
}

/** Opens the database of a path that state, schedule and Slack messages share, or makes it with its directory, for no other user to read. `:memory:` for tests and replay. Throws StateFileError. */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') {
      privateDirectoryOf(dirname(path), OWN);
      // SQLite would make it readable for all; a -wal and -shm that it makes later get the rights of the file.
      for (const file of [path, ...['-wal', '-shm'].map((end) => path + end).filter(existsSync)]) privateFile(file);
    }
    database = new DatabaseSync(path);
    database.exec(PRAGMAS);
    if (migrate(database) && isFixedSize(database)) vacuum(database);
    return database;
  } catch (error) {
    database?.close();
    throw new StateFileError(`The state ${path} cannot be opened: ${(error as Error).message}`, { cause: error });
  }
}

const isFixedSize = (database: DatabaseSync): boolean => database.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum === 0;

/** A file of before the versions learns to shrink. It works without, too: a full disk or another process must not keep the state closed. */
function vacuum(database: DatabaseSync): void {
  try {
    database.exec('VACUUM');
  } catch {
    // It grows no further: free pages are used again.
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
    const [found, ...others] = this.#idsLike(id, 2);
    return found === undefined || others.length > 0
      ? undefined
      : record(this.#database.prepare('SELECT record FROM incidents WHERE id = ?').get(found));
  }

  async idsLike(prefix: string, limit: number): Promise<string[]> {
    return this.#idsLike(prefix, limit);
  }

  #idsLike(prefix: string, limit: number): string[] {
    if (!/^[0-9a-f]{4,12}$/.test(prefix)) return [];
    // `g` comes after every hex digit.
    const rows = this.#database
      .prepare('SELECT id FROM incidents WHERE id >= ? AND id < ? ORDER BY id LIMIT ?')
      .all(prefix, `${prefix}g`, limit);
    return rows.map(({ id }) => id as string);
  }

  async save(incident: Incident, expected: number): Promise<boolean> {
    const columns = columnsOf(incident);
    const text = JSON.stringify(incident);
    return inTransaction(this.#database, () => {
      const root = rootOf(this.#database, incident);
      const before = severityOf(this.#database, root);
      const saved =
        expected === 0 ? insertIncident(this.#database, columns, root, text) : updateIncident(this.#database, columns, text, expected);
      const after = severityOf(this.#database, root);
      if (before !== after) {
        countFailure(this.#database, incident, before, -1);
        countFailure(this.#database, incident, after, 1);
      }
      return saved;
    });
  }

  async list({ unfinished = false, limit = 1_000, ...filter }: Parameters<State['list']>[0] = {}): Promise<Incident[]> {
    const where = unfinished ? `${whereOf(filter)} AND queue = 'pending'` : whereOf(filter);
    const rows = this.#database
      .prepare(`SELECT record FROM incidents WHERE ${where} ORDER BY updated DESC, id LIMIT ?`)
      .all(Number.isFinite(limit) ? limit : -1);
    return rows.flatMap((row) => record(row) ?? []);
  }

  async count(filter: IncidentFilter = {}): Promise<number> {
    return Number(this.#database.prepare(`SELECT count(*) AS n FROM incidents WHERE ${whereOf(filter)}`).get()?.n);
  }

  async statistics(): Promise<Statistics[]> {
    const rows = this.#database.prepare('SELECT remediation, namespace, severity, n FROM statistics WHERE n > 0').all();
    return recordsFrom(
      rows.map(({ remediation, namespace, severity, n }) => ({
        remediation: remediation as string,
        namespace: (namespace as string) || undefined,
        judgement: SEVERITIES[severity as number] ?? 'open',
        n: Number(n),
      })),
    );
  }

  async left({ touched, due, beyond }: Parameters<State['left']>[0], limit = 1_000): Promise<Incident[]> {
    const sql = 'SELECT record FROM incidents WHERE queue = ? AND due < ? ORDER BY due LIMIT ?';
    const rows = [
      ...this.#database.prepare(sql).all('pending', touched, limit),
      ...this.#database.prepare(sql).all('scheduled', due, limit),
      ...(beyond === undefined ? [] : this.#database.prepare(sql.replace('<', '>')).all('scheduled', beyond, limit)),
    ];
    return byAge(rows.flatMap((row) => record(row) ?? [])).slice(0, limit);
  }

  async lease(name: string, owner: string, until: number, now: number): Promise<boolean> {
    const sql = `INSERT INTO leases (name, owner, until) VALUES (?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until <= ? OR until > ?`;
    return this.#database.prepare(sql).run(name, owner, until, now, now + MAX_LEASE_MS).changes === 1;
  }

  /** Whether anybody holds a lease; it asks without writing. */
  async isLeased(name: string, now: number): Promise<boolean> {
    return (
      this.#database.prepare('SELECT 1 FROM leases WHERE name = ? AND until > ? AND until <= ?').get(name, now, now + MAX_LEASE_MS) !==
      undefined
    );
  }

  async release(name: string, owner: string): Promise<void> {
    this.#database.prepare('DELETE FROM leases WHERE name = ? AND owner = ?').run(name, owner);
  }

  async spend({ scope, execution, at, since, limit }: Parameters<State['spend']>[0]): Promise<boolean> {
    this.#database.prepare('UPDATE spent SET at = ? WHERE scope = ? AND at > ?').run(at, scope, at + MAX_CLOCK_SKEW_MS);
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

const whereOf = ({ open, failures }: IncidentFilter): string =>
  ['1', ...(open ? ['open = 1'] : []), ...(failures ? ['failure = 1'] : [])].join(' AND ');
