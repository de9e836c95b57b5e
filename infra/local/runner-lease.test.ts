import { expect, it } from '@jest/globals';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { AlreadyRunningError, RUNNER, RunnerLease } from './runner-lease.ts';

/** Two processes on one state directory, each with its own clocks; no timer renews by itself within a test. */
function world() {
  const state = new SqliteState(openDatabase(':memory:'));
  const time = { wall: 1_000_000, monotonic: 0 };
  const problems: string[] = [];
  let failure: Error | undefined;
  let resumed = 0;
  const asked = {
    lease: async (...question: Parameters<SqliteState['lease']>) => {
      if (failure) throw failure;
      return state.lease(...question);
    },
    release: (...question: Parameters<SqliteState['release']>) => state.release(...question),
  };
  const process = (owner: string) =>
    new RunnerLease({
      ...{ state: asked, directory: '/state', owner, leaseFor: 15_000 },
      now: () => time.wall,
      monotonic: () => time.monotonic,
      onProblem: (problem) => problems.push(problem),
      onResumed: () => {
        resumed += 1;
      },
    });
  return {
    ...{ state, time, problems, process },
    resumed: () => resumed,
    pass(ms: number) {
      time.wall += ms;
      time.monotonic += ms;
    },
    fail(error: Error | undefined) {
      failure = error;
    },
  };
}

it('A process may act as long as it holds the lease, and no longer', async () => {
  const { process, pass } = world();
  const lease = process('a');
  expect(lease.mayAct()).toMatch(/^the lease of the state directory \/state ended/);
  await lease.take();
  expect(lease.mayAct()).toBeUndefined();
  pass(14_999);
  expect(lease.mayAct()).toBeUndefined();
  pass(1);
  expect(lease.mayAct()).toMatch(/ended and is not renewed yet: nothing is done meanwhile/);
  await lease.release();
  expect(lease.mayAct()).toMatch(/ended/);
});

it.each<[string, { wall?: number; monotonic?: number }]>([
  ['its monotonic clock moved on while the other clock was set back', { wall: -3_600_000, monotonic: 17_000 }],
  ['the monotonic clock stood still, as while a machine sleeps', { wall: 17_000 }],
])('A process that was stopped may not act before its lease is renewed, also when %s', async (_, { wall = 0, monotonic = 0 }) => {
  const { process, time, resumed } = world();
  const lease = process('a');
  await lease.take();
  time.wall += wall;
  time.monotonic += monotonic;
  expect(lease.mayAct()).toMatch(/ended/);
  await lease.renew();
  expect(lease.mayAct()).toBeUndefined();
  expect(resumed()).toBe(1);
  await lease.release();
});

it('A process whose lease another one took may never act again, and is to end', async () => {
  const { process, pass, state } = world();
  const [old, next] = [process('a'), process('b')];
  await old.take();
  await expect(next.take()).rejects.toThrow(AlreadyRunningError);
  pass(17_000);
  await next.take();
  expect(old.mayAct()).toMatch(/ended/);
  await old.renew();
  await expect(old.lost).resolves.toMatch(/^Another kubemend took over \/state while this one was stopped/);
  await next.release();
  await old.renew();
  expect(old.mayAct()).toMatch(/^Another kubemend took over/);
  await old.release();
  expect(await state.isLeased(RUNNER, 0)).toBe(false);
});

it('A process whose database is locked, or whose disk is full, says so, does not act meanwhile, and goes on afterwards', async () => {
  const { process, pass, fail, problems, resumed } = world();
  const lease = process('a');
  await lease.take();
  fail(new Error('database is locked'));
  for (const [after, mayAct] of [
    [5_000, true],
    [5_000, true],
    [5_000, false],
    [60_000, false],
  ] as const) {
    pass(after);
    await lease.renew();
    expect(lease.mayAct() === undefined).toBe(mayAct);
  }
  expect(problems[0]).toBe('The state directory /state cannot be written, so kubemend stops acting until it can: database is locked');
  fail(undefined);
  await lease.renew();
  expect(lease.mayAct()).toBeUndefined();
  expect(resumed()).toBe(1);
  await lease.release();
});
