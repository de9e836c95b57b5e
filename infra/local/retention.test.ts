import { beforeEach, expect, it } from '@jest/globals';
import { open } from '../../shared/open.ts';
import { complete } from '../../shared/remediation.ts';
import { incident } from '../../shared/state/contract.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { mendWidgets } from '../../test/toy-remediation.ts';
import { type RetentionOptions, removeOld } from './retention.ts';

const DAY = 86_400_000;
const NOW = 1_000 * DAY;
let database: ReturnType<typeof openDatabase>;
let state: SqliteState;
let problems: string[];
beforeEach(() => {
  database = openDatabase(':memory:');
  state = new SqliteState(database);
  problems = [];
});

const remove = (over: Partial<RetentionOptions> = {}) =>
  removeOld(
    {
      ...{ database, retention: 7 * DAY, now: () => NOW, mayAct: () => undefined, onProblem: (problem) => problems.push(problem) },
      remediations: [complete('a/b', mendWidgets({}), { perObject: { executions: 1, within: '30d' } })],
      ...over,
    },
    new AbortController().signal,
  );
const ended = (n: number, days: number) =>
  state.save(incident({ id: n.toString(16).padStart(12, '0'), key: `${n}`, state: 'verified', updatedAt: NOW - days * DAY }), 0);

it('Ended incidents go when they are older than the retention, however many they are', async () => {
  for (let n = 1; n <= 450; n += 1) await ended(n, 8);
  await ended(999, 6);
  await remove();
  expect((await state.list()).map(({ key }) => key)).toEqual(['999']);
  expect(problems).toEqual([]);
});

it('What a budget counts stays for its window, also when that is longer than the retention', async () => {
  const spend = (execution: string, days: number) =>
    state.spend({ scope: 's', execution, at: NOW - days * DAY, since: NOW - 30 * DAY, limit: 2 });
  await spend('a', 29);
  await spend('b', 10);
  await remove();
  expect(await spend('c', 0)).toBe(false);
});

it('Nothing is removed by a process that may not act', async () => {
  await ended(1, 99);
  await remove({ mayAct: () => 'the lease ended' });
  expect(await state.list()).toHaveLength(1);
});

it('A database that cannot be written is reported, and old incidents go the next time', async () => {
  await ended(1, 99);
  database.exec('PRAGMA query_only = ON');
  await remove();
  expect(problems).toEqual([
    expect.stringMatching(/^Old incidents could not be removed, and are next time: attempt to write a readonly database/),
  ]);
  database.exec('PRAGMA query_only = OFF');
  await remove();
  expect(await state.list()).toEqual([]);
});

it('A new incident of an object whose incidents all expired has another id, so that no budget and no breaker takes it for the old one', () => {
  const object = { group: '', version: 'v1', resource: 'pods', name: 'a' };
  const fact = (id: string) => ({ id, cluster: 'toy' }) as never;
  expect(open(fact('1'), object, 'a/b', 1, 0).id).not.toBe(open(fact('2'), object, 'a/b', 1, 0).id);
});
