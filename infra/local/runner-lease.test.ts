import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { fileIdentity } from './file-identity.ts';
import { AlreadyRunningError, RUNNER, RunnerLease } from './runner-lease.ts';

/** Two processes on one state directory, each with its own clocks; no timer renews by itself within a test. */
function world() {
  const state = new SqliteState(openDatabase(':memory:'));
  const time = { wall: 1_000_000, monotonic: 0 };
  const problems: string[] = [];
  let failure: Error | undefined;
  let resumed = 0;
  let file: string | undefined | Error = '1:1';
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
      identity: () => {
        if (file instanceof Error) throw file;
        return file;
      },
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
    replace(by: string | undefined | Error) {
      file = by;
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

it.each([
  ['removed', undefined],
  ['replaced by another file', '1:2'],
])('A process whose state database was %s may not act from that moment, and is to end', async (_, file) => {
  const { process, replace } = world();
  const [acting, waiting] = [process('a'), process('b')];
  await acting.take();
  replace(file);
  expect(acting.mayAct()).toBe('The state database in /state was removed or replaced while this kubemend ran');
  await expect(acting.lost).resolves.toBe(acting.mayAct());
  await waiting.renew();
  await expect(waiting.lost).resolves.toMatch(/removed or replaced/);
  replace('1:1');
  await acting.renew();
  expect(acting.mayAct()).toMatch(/removed or replaced/);
});

it('A process that cannot check its state database does not act until it can', async () => {
  const { process, replace } = world();
  const lease = process('a');
  await lease.take();
  replace(new Error('EIO'));
  expect(lease.mayAct()).toBe('the state directory /state cannot be checked: EIO');
  replace('1:1');
  expect(lease.mayAct()).toBeUndefined();
  await lease.release();
});

it('The identity of a file stays when it is written, and differs once another file takes its path', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-'));
  const path = join(directory, 'kubemend.sqlite');
  try {
    const database = openDatabase(path);
    const opened = fileIdentity(path);
    database.exec('CREATE TABLE written (one INTEGER)');
    expect(fileIdentity(path)).toBe(opened);
    rmSync(directory, { recursive: true });
    expect(fileIdentity(path)).toBeUndefined();
    mkdirSync(directory);
    const second = openDatabase(path);
    expect(fileIdentity(path)).not.toBe(opened);
    for (const open of [database, second]) open.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
