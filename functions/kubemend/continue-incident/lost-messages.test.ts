import { describe, expect, it } from '@jest/globals';
import type { Incident } from '../../../shared/incident.ts';
import type { Appointment } from '../../../shared/schedule/schedule.ts';
import { ToyWorld } from '../../../test/toy-world.ts';
import { takeUp } from './index.ts';

const TICK = 300_000;
const HOUR = 3_600_000;

/** A world whose messages lie in a queue like SQS: everything that is put is kept, and delivered, but what `isLost` says. */
async function queued(isLost: (appointment: Appointment, n: number) => boolean = () => false) {
  const world = new ToyWorld();
  await world.mode('auto');
  const queue: Appointment[] = [];
  const counted = { put: 0, invocations: 0, lost: 0 };
  const schedule = {
    async put(appointment: Appointment) {
      counted.put += 1;
      if (isLost(appointment, counted.put)) counted.lost += 1;
      else queue.push(appointment);
    },
  };
  /** Each delivery is a new process, as in Lambda. */
  const deliver = (appointment: Appointment) => {
    counted.invocations += 1;
    return world.newEngine({ schedule }).due(appointment);
  };
  const tick = () =>
    takeUp({
      ...{ state: world.state, schedule, now: world.clock.now, onProblem: (problem: string) => void world.problems.push(problem) },
      invoke: (_, appointment) => deliver(appointment),
    });
  const fact = async () => {
    counted.invocations += 1;
    await world.newEngine({ schedule }).fact(world.remediation.name, world.changed());
  };
  const pass = async (ms: number): Promise<void> => {
    const end = world.clock.now() + ms;
    while (world.clock.now() < end) {
      const nextTick = (Math.floor(world.clock.now() / TICK) + 1) * TICK;
      const next = Math.max(world.clock.now(), Math.min(end, nextTick, ...queue.map(({ at }) => Math.ceil(at / 1_000) * 1_000)));
      world.clock.advanceTo(next);
      for (const due of queue.filter(({ at }) => at <= next)) {
        queue.splice(queue.indexOf(due), 1);
        await deliver(due);
      }
      if (next === nextTick) await tick();
    }
  };
  return { world, queue, counted, schedule, fact, tick, pass };
}

describe('whatever message is lost', () => {
  it('the incident ends, with one write', async () => {
    for (let lost = 1; ; lost += 1) {
      const { world, counted, fact, pass } = await queued((_, n) => n === lost);
      await fact();
      await pass(2 * HOUR);
      expect({ lost, state: (await world.incident()).state, writes: world.cluster.writes.length }).toEqual({
        ...{ lost, state: 'verified', writes: 1 },
      });
      if (counted.lost === 0) {
        expect(lost).toBeGreaterThan(3);
        break;
      }
    }
  });

  it('and if all are, and nothing is left but the tick', async () => {
    const { world, fact, pass } = await queued(() => true);
    await fact();
    await pass(3 * HOUR);
    expect([(await world.incident()).state, world.cluster.writes.length]).toEqual(['verified', 1]);
  });

  it('one that comes after all changes nothing', async () => {
    const late: Appointment[] = [];
    const { world, fact, pass, schedule } = await queued((appointment, n) => n === 1 && late.push(appointment) > 0);
    await fact();
    await pass(2 * HOUR);
    const before = await world.incident();
    for (const appointment of late) await world.newEngine({ schedule }).due(appointment);
    expect(late).toHaveLength(1);
    expect(await world.incident()).toEqual(before);
  });

  it('a fact takes up the look, too, before any tick', async () => {
    const { world, fact } = await queued(() => true);
    await fact();
    expect((await world.incident()).state).toBe('planned');
    world.clock.advanceTo(world.clock.now() + 600_000);
    await fact();
    expect((await world.incident()).state).toBe('planned');
    world.clock.advanceTo(world.clock.now() + 60_000);
    await fact();
    expect((await world.incident()).state).toBe('applied');
  });

  it('a kubemend that starts takes up a look that was lost', async () => {
    const { world, fact } = await queued(() => true);
    await fact();
    world.clock.advanceTo(world.clock.now() + 660_000);
    await world.restart();
    await world.run(HOUR);
    expect([(await world.incident()).state, world.cluster.writes.length]).toEqual(['verified', 1]);
  });
});

describe('while nothing can be told', () => {
  const away = { publish: () => Promise.reject(new Error('the bus is away')) };

  it('an incident wakes its function a few times an hour, hour after hour, and everything is told afterwards', async () => {
    const { world, queue, counted, fact, pass } = await queued();
    await world.mode('shadow');
    const { bus } = world;
    world.bus = away;
    const hours: number[] = [];
    await fact();
    for (let hour = 0; hour < 6; hour += 1) {
      const before = counted.invocations;
      // Facts come, and ask; none begins a chain of wake-ups of its own.
      for (let n = 0; n < 6; n += 1) {
        await fact();
        await pass(HOUR / 6);
      }
      hours.push(counted.invocations - before);
    }
    // 12 wake-ups, 6 looks, 6 facts; and the first ones that follow each other faster.
    expect(Math.max(...hours)).toBeLessThanOrEqual(32);
    expect(queue.filter(({ token }) => token === 'wake').length).toBeLessThanOrEqual(1);
    expect(hours.at(-1)).toBeGreaterThan(6);
    world.bus = bus;
    await pass(TICK);
    expect((await world.incident()).effects).toEqual([]);
    expect(world.told.map(({ state }) => state)).toEqual(['detected', 'planned', 'shadowed']);
  });

  it('the same on SQLite', async () => {
    const world = new ToyWorld();
    world.bus = away;
    let deliveries = 0;
    const put: (number | string)[] = [];
    world.engine = world.newEngine({
      schedule: {
        put: (appointment) => {
          put.push(appointment.token);
          return world.schedule.put(appointment);
        },
      },
    });
    world.schedule.start((appointment) => {
      deliveries += 1;
      return world.engine.due(appointment);
    });
    await world.fact();
    await world.run(HOUR);
    deliveries = 0;
    await world.run(HOUR);
    expect(deliveries).toBeLessThanOrEqual(24);
    expect(put).toContain('wake');
  });

  it('a wake-up that could not be put, or was lost, is made good by the tick', async () => {
    let refused = 0;
    const { world, fact, pass } = await queued(({ token }) => {
      if (token !== 'wake') return false;
      refused += 1;
      return true;
    });
    const { bus } = world;
    world.bus = away;
    await fact();
    await pass(60_000);
    world.bus = bus;
    await pass(HOUR);
    expect(refused).toBeGreaterThan(0);
    const { state, effects }: Incident = await world.incident();
    expect([state, effects]).toEqual(['verified', []]);
    expect(new Set(world.told.map(({ state: told }) => told))).toEqual(
      new Set(['detected', 'planned', 'executing', 'applied', 'verified']),
    );
  });

  it('what a bus will never take is told to nobody again, and said once', async () => {
    const { world, counted, fact, pass } = await queued();
    world.bus = { publish: () => Promise.reject(Object.assign(new Error('1200000 bytes'), { never: true })) };
    await fact();
    await pass(HOUR);
    const { state, effects, id } = await world.incident();
    expect([state, effects]).toEqual(['verified', []]);
    expect(world.problems).toHaveLength(5);
    expect(world.problems[0]).toBe(
      `Incident ${id} is now detected, and that can never be told, so it is not tried again: 1200000 bytes. Read it with "kubemend explain ${id}"`,
    );
    const before = counted.invocations;
    await pass(HOUR);
    expect(counted.invocations).toBe(before);
  });
});
