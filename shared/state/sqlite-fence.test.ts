import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../clock.ts';
import { SqliteSchedule } from '../schedule/sqlite.ts';
import { SqliteLetters } from '../slack/sqlite-letters.ts';
import { incident } from './contract.ts';
import { openDatabase, SqliteState } from './sqlite.ts';
import { FENCED, fence } from './sqlite-fence.ts';
import { expireIncidents, expireTheRest } from './sqlite-retention.ts';

let directory: string;
let databases: ReturnType<typeof openDatabase>[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubemend-fence-'));
  databases = [1, 2].map(() => openDatabase(join(directory, 'kubemend.sqlite')));
});
afterEach(() => {
  for (const database of databases) database.close();
  rmSync(directory, { recursive: true });
});

/** Two processes; the first is fenced, and loses its lease to the second. */
async function takenOver() {
  const [one, two] = databases as [(typeof databases)[0], (typeof databases)[0]];
  const [old, next] = [new SqliteState(one), new SqliteState(two)];
  await old.lease('runner', "it's me", 100, 0);
  fence(one, 'runner', "it's me");
  await old.save(incident({ state: 'verified' }), 0);
  await old.lease('incident/x', 'a', 100, 0);
  await next.lease('runner', 'b', 300, 200);
  return { one, old, next };
}

it('The owner of the lease writes as before', async () => {
  const [one] = databases as [(typeof databases)[0]];
  const state = new SqliteState(one);
  await state.lease('runner', 'a', 100, 0);
  fence(one, 'runner', 'a');
  expect(await state.save(incident(), 0)).toBe(true);
  expect(await state.save(incident({ revision: 2 }), 1)).toBe(true);
  await state.set('paused', 'by Ann');
  // Also after it ran out, as long as it is nobody else's: SQLite decides which of two came first.
  expect(await state.lease('runner', 'a', 900, 800)).toBe(true);
  expect(await state.setting('paused')).toBe('by Ann');
});

it.each<[string, (world: Awaited<ReturnType<typeof takenOver>>) => Promise<unknown> | unknown]>([
  ['a new incident', ({ old }) => old.save(incident({ id: 'bbbb00000000', key: 'b' }), 0)],
  ['a revision', ({ old }) => old.save(incident({ revision: 2 }), 1)],
  ['a lease', ({ old }) => old.lease('target/x', 'a', 900, 0)],
  ['the renewal of a lease', ({ old }) => old.lease('incident/x', 'a', 900, 0)],
  ['the release of a lease', ({ old }) => old.release('incident/x', 'a')],
  ['a budget', ({ old }) => old.spend({ scope: 's', execution: 'x', at: 1, since: 0, limit: 9 })],
  ['a breaker', ({ old }) => old.tally('s', 'x')],
  ['a setting', ({ old }) => old.set('paused', 'x')],
  ['a timer', ({ one }) => new SqliteSchedule(one, systemClock, () => undefined).put({ incident: 'x', token: 1, at: 1 })],
  ['a Slack message', ({ one }) => new SqliteLetters(one, Date.now).save({ key: 'x', version: 1, kind: 'incident' } as never)],
  ['the removal of an old incident', async ({ one }) => expireIncidents(one, 500, 9)],
  ['the removal of old leases', async ({ one }) => expireTheRest(one, { spendings: 0, letters: 0, leases: 200 })],
])('A process that lost its lease cannot store %s', async (_, write) => {
  const world = await takenOver();
  const before = await world.next.list();
  await expect(async () => write(world)).rejects.toThrow(FENCED);
  expect(await world.next.list()).toEqual(before);
});

it('A process that lost its lease can ask for it, read, and give back only what is its own', async () => {
  const { old, next } = await takenOver();
  expect(await old.lease('runner', "it's me", 900, 250)).toBe(false);
  await old.release('runner', "it's me");
  expect(await next.isLeased('runner', 250)).toBe(true);
  expect(await old.load(incident().id)).toBeDefined();
});

it('Every table of the database is fenced', async () => {
  const [one] = databases as [(typeof databases)[0]];
  fence(one, 'runner', 'a');
  const names = (sql: string) =>
    one
      .prepare(sql)
      .all()
      .map(({ name }) => name as string);
  const tables = names("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  expect(tables.length).toBeGreaterThan(7);
  const wanted = tables.flatMap((table) => ['delete', 'insert', 'update'].map((operation) => `fence_${table}_${operation}`));
  expect(names("SELECT name FROM temp.sqlite_schema WHERE type = 'trigger'").sort()).toEqual(wanted.sort());
});
