import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Incident } from '../incident.ts';
import { SqliteLetters } from '../slack/sqlite-letters.ts';
import { incident } from './contract.ts';
import { openDatabase, SqliteState } from './sqlite.ts';
import { expireIncidents, expireTheRest, shrink } from './sqlite-retention.ts';

let database: DatabaseSync;
let state: SqliteState;
let made = 0;
beforeEach(() => {
  database = openDatabase(':memory:');
  state = new SqliteState(database);
});

async function keep(over: Partial<Incident>): Promise<Incident> {
  made += 1;
  const one = incident({ id: made.toString(16).padStart(12, '0'), key: `${made}`, state: 'verified', updatedAt: 1, ...over });
  await state.save(one, 0);
  return one;
}
const left = async (): Promise<string[]> => (await state.list()).map(({ id }) => id);

describe('what expires', () => {
  it.each<[string, Partial<Incident>]>([
    ['has not ended', { state: 'awaiting-approval' }],
    ['is being undone', { state: 'undoing' }],
    ['still has work in its outbox', { effects: [{ id: '1.0', kind: 'prepare' }] }],
    ['waits for a recheck', { state: 'cleared', look: { at: 5, token: 1 } }],
    ['changed since', { updatedAt: 100 }],
  ])('is never an incident that %s', async (_, over) => {
    const kept = await keep(over);
    await keep({});
    expect(expireIncidents(database, 100, 10)).toBe(1);
    expect(await left()).toEqual([kept.id]);
  });

  it('is never the incident that an open one follows, however old', async () => {
    const first = await keep({ state: 'refused' });
    const second = await keep({ state: 'refused', key: first.key, ordinal: 2, after: first.id });
    const third = await keep({ state: 'planned', key: first.key, ordinal: 3, after: second.id });
    expect(expireIncidents(database, 100, 10)).toBe(0);
    await state.save({ ...third, state: 'verified', revision: 2 }, 1);
    expect(expireIncidents(database, 100, 10)).toBe(3);
    expect(await left()).toEqual([]);
  });

  it('goes in steps, the timers of the incidents with them', async () => {
    for (let n = 0; n < 5; n += 1) {
      const { id } = await keep({});
      database.prepare("INSERT INTO schedule (incident, kind, token, at) VALUES (?, 'look', 1, 5)").run(id);
    }
    expect([1, 2, 3, 4].map(() => expireIncidents(database, 100, 2))).toEqual([2, 2, 1, 0]);
    expect(database.prepare('SELECT count(*) AS n FROM schedule').get()?.n).toBe(0);
  });

  it('is a spending only when it is older than every budget, and never what a breaker counts', async () => {
    const spend = (execution: string, at: number) => state.spend({ scope: 's', execution, at, since: 0, limit: 9 });
    await spend('old', 1);
    await spend('new', 50);
    await state.tally('s', 'gone');
    expireTheRest(database, { spendings: 50, letters: 0, leases: 0 });
    expect(
      database
        .prepare('SELECT execution FROM spent')
        .all()
        .map(({ execution }) => execution),
    ).toEqual(['new']);
    expect(await state.tallied('s')).toBe(1);
  });

  it('is a lease only long after it ended', async () => {
    await state.lease('target/a', 'x', 10, 0);
    await state.lease('target/b', 'x', 90, 0);
    expireTheRest(database, { spendings: 0, letters: 0, leases: 50 });
    expect(
      database
        .prepare('SELECT name FROM leases')
        .all()
        .map(({ name }) => name),
    ).toEqual(['target/b']);
  });

  it('is a Slack message only when no incident it is about is kept, all of it is posted, and it is older than they may be', async () => {
    const open = await keep({ state: 'planned' });
    const at = { now: 1 };
    const letters = new SqliteLetters(database, () => at.now);
    const common = { version: 1, pendingSince: undefined, refusals: 0, lost: 0 };
    const of = (key: string, over = {}) => letters.save({ ...common, key, kind: 'incident', details: [], ...over } as never);
    const storm = (key: string, incident: string) => letters.save({ ...common, key, kind: 'storm', members: [{ incident }] } as never);
    await of(open.id);
    await of('gone');
    await of('gone, but not posted', { pendingSince: 1 });
    await storm('storm of one that is open', open.id);
    await storm('storm of what is gone', 'gone');
    await letters.save({ ...common, key: 'burst', kind: 'burst', opened: [] });
    at.now = 60;
    await of('gone since');
    expireTheRest(database, { spendings: 0, letters: 50, leases: 0 });
    const kept = database
      .prepare('SELECT key FROM slack_letters ORDER BY key')
      .all()
      .map(({ key }) => key);
    expect(kept).toEqual([open.id, 'burst', 'gone since', 'gone, but not posted', 'storm of one that is open'].sort());
  });
});

it('The file shrinks after incidents expired', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-retention-'));
  database = openDatabase(join(directory, 'kubemend.sqlite'));
  state = new SqliteState(database);
  for (let n = 0; n < 500; n += 1) await keep({ because: 'x'.repeat(4_000) });
  const size = () => {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return statSync(join(directory, 'kubemend.sqlite')).size;
  };
  const before = size();
  while (expireIncidents(database, 100, 100) > 0);
  while (shrink(database));
  expect(size()).toBeLessThan(before / 5);
  database.close();
  rmSync(directory, { recursive: true });
});

const plan = (sql: string): string =>
  database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map(({ detail }) => detail)
    .join('\n');

it.each([
  ['SELECT record FROM incidents WHERE queue = ? AND due < ? ORDER BY due LIMIT 9', /incidents_due/],
  ['SELECT record FROM incidents WHERE 1 AND failure = 1 ORDER BY updated DESC, id LIMIT 9', /incidents_updated/],
  ['SELECT count(*) AS n FROM incidents WHERE 1 AND failure = 1', /COVERING INDEX incidents_updated/],
  ["SELECT id FROM incidents WHERE id >= 'a' AND id < 'b' ORDER BY id LIMIT 2", /SEARCH/],
  ["SELECT max(severity) FROM incidents WHERE root = 'a'", /COVERING INDEX incidents_root/],
  ['SELECT min(at) AS at FROM schedule', /schedule_at/],
])('%s is answered from an index, without sorting', (sql, index) => {
  expect(plan(sql)).toMatch(index);
  expect(plan(sql)).not.toMatch(/TEMP B-TREE/);
});
