import { expect, it } from '@jest/globals';
import { runUntil, VirtualClock } from '../../test/virtual-clock.ts';
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
