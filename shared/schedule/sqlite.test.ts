import { expect, it } from '@jest/globals';
import { runUntil, VirtualClock } from '../../test/virtual-clock.ts';
import { MayNotActError } from '../acting.ts';
import { openDatabase } from '../state/sqlite.ts';
import { scheduleContract } from './contract.ts';
import type { Appointment } from './schedule.ts';
import { SqliteSchedule } from './sqlite.ts';

scheduleContract('SqliteSchedule', async () => {
  const clock = new VirtualClock(1_000_000);
  const database = openDatabase(':memory:');
  let handler: (appointment: Appointment) => Promise<void> = async () => undefined;
  const start = () => {
    const schedule = new SqliteSchedule(database, clock, () => undefined);
    schedule.start((appointment) => handler(appointment));
    return schedule;
  };
  const under = {
    schedule: start(),
    now: clock.now,
    pass: (ms: number) => runUntil(clock, [under.schedule], clock.now() + ms),
    onDelivery: (next: typeof handler) => {
      handler = next;
    },
    restart: async () => {
      await under.schedule.stop();
      clock.advanceTo(clock.now() + 3_600_000);
      under.schedule = start();
    },
    close: async () => {
      await under.schedule.stop();
      database.close();
    },
  };
  return under;
});

it('SqliteSchedule sets a timer for the next appointment, also for one that another process put', async () => {
  const clock = new VirtualClock(0);
  const database = openDatabase(':memory:');
  const delivered: (number | string)[] = [];
  const schedule = new SqliteSchedule(database, clock, () => undefined);
  schedule.start(async ({ token }) => void delivered.push(token));
  await schedule.put({ incident: 'i', token: 1, at: 500 });
  clock.advanceTo(499);
  expect(delivered).toEqual([]);
  clock.advanceTo(500);
  await schedule.deliver();
  expect(delivered).toEqual([1]);
  await new SqliteSchedule(database, clock, () => undefined).put({ incident: 'j', token: 2, at: 600 });
  schedule.refresh();
  clock.advanceTo(600);
  await schedule.deliver();
  await schedule.stop();
  expect(delivered).toEqual([1, 2]);
});

it('SqliteSchedule says which look failed and when it is tried again', async () => {
  const clock = new VirtualClock(0);
  const problems: string[] = [];
  const schedule = new SqliteSchedule(openDatabase(':memory:'), clock, (problem) => problems.push(problem));
  schedule.start(() => Promise.reject(new Error('no state')));
  await schedule.put({ incident: 'abc', token: 1, at: 0 });
  await schedule.deliver();
  expect(problems).toEqual(['A look at incident abc failed and is tried again in 5 s: no state']);
  expect(schedule.nextAt()).toBe(5_000);
});

it('SqliteSchedule survives a database that does not answer: it says so, nothing is lost, and delivery goes on by itself', async () => {
  const clock = new VirtualClock(0);
  const problems: string[] = [];
  const delivered: string[] = [];
  const database = openDatabase(':memory:');
  let broken = false;
  const unreliable = {
    prepare(sql: string) {
      if (broken) throw new Error('database is locked');
      return database.prepare(sql);
    },
  } as unknown as typeof database;
  const schedule = new SqliteSchedule(unreliable, clock, (problem) => problems.push(problem));
  schedule.start(async ({ incident }) => {
    delivered.push(incident);
    // The lock comes between the work and its record.
    if (delivered.length === 1) broken = true;
  });
  await schedule.put({ incident: 'abc', token: 1, at: 10 });
  clock.advanceTo(10);
  await schedule.deliver();
  expect(new Set(problems)).toEqual(new Set(['The schedule cannot be used now, and is tried again in 5 s: database is locked']));
  schedule.refresh();
  clock.advanceTo(10_000);
  await schedule.deliver();
  expect(delivered).toEqual(['abc']);
  broken = false;
  clock.advanceTo(20_000);
  await schedule.deliver();
  expect(delivered).toEqual(['abc', 'abc']);
  expect(schedule.nextAt()).toBeUndefined();
});

it('SqliteSchedule keeps what is due while the process may not act, and asks again', async () => {
  const clock = new VirtualClock(0);
  const problems: string[] = [];
  let held = true;
  let delivered = 0;
  const schedule = new SqliteSchedule(openDatabase(':memory:'), clock, (problem) => problems.push(problem));
  schedule.start(async () => {
    if (held) throw new MayNotActError('the lease ended');
    delivered += 1;
  });
  await schedule.put({ incident: 'abc', token: 1, at: 0 });
  await schedule.deliver();
  expect([delivered, schedule.nextAt(), problems]).toEqual([0, 0, []]);
  held = false;
  clock.advanceTo(5_000);
  await schedule.deliver();
  expect([delivered, schedule.nextAt(), problems]).toEqual([1, undefined, []]);
});
