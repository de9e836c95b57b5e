import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Incident } from '../incident.ts';
import { recordsOf } from '../statistics.ts';
import { incident } from './contract.ts';
import { openDatabase, SqliteState } from './sqlite.ts';
import { MIGRATIONS, migrate } from './sqlite-migrations.ts';
import { shrink } from './sqlite-retention.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubemend-migrations-'));
  path = join(directory, 'kubemend.sqlite');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A database as kubemend made it before it had versions, at commit dfa7435. */
function oldDatabase(incidents: Incident[]): void {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE incidents (id TEXT PRIMARY KEY, key TEXT NOT NULL, ordinal INTEGER NOT NULL, revision INTEGER NOT NULL,
      unfinished INTEGER NOT NULL, updated INTEGER NOT NULL, record TEXT NOT NULL, UNIQUE (key, ordinal));
    CREATE INDEX unfinished ON incidents (unfinished) WHERE unfinished = 1;
    CREATE INDEX looking ON incidents (json_extract(record, '$.look.at')) WHERE unfinished = 0;
    CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL);
    CREATE TABLE spent (scope TEXT, execution TEXT, at INTEGER NOT NULL, PRIMARY KEY (scope, execution));
    CREATE TABLE tallies (scope TEXT, incident TEXT, PRIMARY KEY (scope, incident));
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE schedule (incident TEXT, kind TEXT, token INTEGER, at INTEGER NOT NULL, PRIMARY KEY (incident, kind));
    CREATE TABLE slack_letters (key TEXT PRIMARY KEY, version INTEGER NOT NULL, pending INTEGER, letter TEXT NOT NULL);
    INSERT INTO settings VALUES ('paused', 'by Ann');
    INSERT INTO schedule VALUES ('aaaa00000000', 'look', 1, 5);
    INSERT INTO slack_letters VALUES ('aaaa00000000', 1, NULL, '{"kind":"incident"}');`);
  const insert = database.prepare('INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?)');
  for (const one of incidents) {
    const { id, key, ordinal, revision, effects, updatedAt } = one;
    insert.run(id, key, ordinal, revision, effects.length > 0 ? 1 : 0, updatedAt, JSON.stringify(one));
  }
  database.close();
}

const history = [{ at: 1, state: 'shadowed' as const, because: 'b' }];
const INCIDENTS = [
  incident({ id: 'aaaa00000000', state: 'ineffective', history, updatedAt: 1 }),
  // Its id comes before that of the incident it follows.
  incident({ id: '000000000000', ordinal: 2, state: 'verified', history, after: 'aaaa00000000', updatedAt: 2 }),
  incident({ id: 'bbbb00000000', key: 'b', state: 'planned', history, look: { at: 5, token: 1 }, updatedAt: 3 }),
  incident({ id: 'cccc00000000', key: 'c', effects: [{ id: '1.0', kind: 'prepare' }], updatedAt: 4 }),
];

it('A database from before the versions keeps everything, and gets its columns, statistics and version', async () => {
  oldDatabase(INCIDENTS);
  const database = openDatabase(path);
  const state = new SqliteState(database);
  expect(database.prepare('PRAGMA user_version').get()?.user_version).toBe(MIGRATIONS.length);
  expect(await state.list()).toEqual(INCIDENTS.toReversed());
  expect(await state.statistics()).toEqual(recordsOf(INCIDENTS));
  expect((await state.statistics())[0]).toMatchObject({ fired: 2, wrong: 1, open: 1 });
  expect((await state.left({ touched: 9, due: 9 })).map(({ id }) => id)).toEqual(['cccc00000000', 'bbbb00000000']);
  expect(await state.setting('paused')).toBe('by Ann');
  expect(database.prepare('SELECT count(*) AS n FROM schedule').get()?.n).toBe(1);
  expect(database.prepare('SELECT saved > 0 AS saved FROM slack_letters').get()?.saved).toBe(1);
  database.close();
  openDatabase(path).close();
});

it('A key that begins with the cluster is rewritten to begin with its remediation, with the breakers and budgets of its object', async () => {
  const [before, after] = ['toy/example/mend/uid-1', 'example/mend/toy/uid-1'];
  oldDatabase([1, 2].map((ordinal) => incident({ id: `${ordinal}000aaaaaaaa`, key: before, ordinal })));
  const old = new DatabaseSync(path);
  old.exec(`INSERT INTO tallies VALUES ('object/${before}', 'a'), ('remediation/example/mend/toy', 'a');
    INSERT INTO spent VALUES ('object/${before}', 'e', 9)`);
  old.close();
  const database = openDatabase(path);
  const state = new SqliteState(database);
  expect(await state.latest(before)).toBeUndefined();
  expect(await state.latest(after)).toEqual(incident({ id: '2000aaaaaaaa', key: after, ordinal: 2 }));
  expect(await state.tallies()).toEqual({ [`object/${after}`]: 1, 'remediation/example/mend/toy': 1 });
  expect(await state.spend({ scope: `object/${after}`, execution: 'f', at: 10, since: 0, limit: 1 })).toBe(false);
  database.close();
});

it('A database from before the versions gives space back afterwards', () => {
  const filler = Array.from({ length: 500 }, (_, n) =>
    incident({ id: n.toString(16).padStart(12, '0'), key: `${n}`, state: 'refused', because: 'x'.repeat(4_000) }),
  );
  oldDatabase(filler);
  const database = openDatabase(path);
  database.exec('DELETE FROM incidents; PRAGMA wal_checkpoint(TRUNCATE);');
  const before = statSync(path).size;
  while (shrink(database));
  database.exec('PRAGMA wal_checkpoint(TRUNCATE);');
  expect(statSync(path).size).toBeLessThan(before / 10);
  database.close();
});

it('A database of a newer kubemend is refused with a sentence, and stays as it is', () => {
  openDatabase(path).close();
  const newer = new DatabaseSync(path);
  newer.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
  newer.close();
  expect(() => openDatabase(path)).toThrow(
    /kubemend\.sqlite cannot be opened: it has schema version \d+, and this kubemend knows versions up to \d+\. Use the newer kubemend that wrote it/,
  );
  const after = new DatabaseSync(path);
  expect(after.prepare('PRAGMA user_version').get()?.user_version).toBe(MIGRATIONS.length + 1);
  after.close();
});

it('A migration that fails leaves the database as it was', () => {
  oldDatabase(INCIDENTS);
  const database = new DatabaseSync(path);
  const broken = [
    ...MIGRATIONS,
    () => {
      throw new Error('disk I/O error');
    },
  ];
  expect(() => migrate(database, broken)).toThrow('disk I/O error');
  expect(database.prepare('PRAGMA user_version').get()?.user_version).toBe(0);
  expect(database.prepare('SELECT count(*) AS n FROM incidents WHERE unfinished = 1').get()?.n).toBe(1);
  database.close();
});

it('Each migration is applied once, in its order, also when two processes open a new database', () => {
  const [one, two] = [openDatabase(path), openDatabase(path)];
  for (const database of [one, two]) {
    expect(migrate(database)).toBe(false);
    expect(database.prepare('PRAGMA user_version').get()?.user_version).toBe(MIGRATIONS.length);
    database.close();
  }
});
