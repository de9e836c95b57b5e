import { describe, expect, it } from '@jest/globals';
import type { IncidentState } from '../events/incident-changed.ts';
import { ToyWorld } from '../test/toy-world.ts';
import { wrongClock } from '../test/virtual-clock.ts';
import { LONG_WAIT_MS } from './clock-step.ts';
import { SqliteSchedule } from './schedule/sqlite.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const JUMPS = [
  ['10 minutes', 10 * MINUTE],
  ['1 hour', HOUR],
  ['1 day', 24 * HOUR],
  ['10 years', 87_600 * HOUR],
] as const;

/** A world whose clock runs ahead by `jump` until an incident has come to `state`; then it is put right. */
async function putRightIn(state: IncidentState, jump: number, { approves = false, dies = false } = {}) {
  const world = new ToyWorld({ limits: { stableFor: '2m' } });
  await world.mode(approves ? 'approve' : 'auto');
  let offset: number = jump;
  const clock = wrongClock(world.clock, () => offset);
  world.schedule.abandon();
  const schedule = new SqliteSchedule(world.database, clock, (problem) => world.problems.push(problem));
  const make = () => world.newEngine({ now: clock.now, monotonic: world.clock.now, schedule });
  let engine = make();
  schedule.start((due) => engine.due(due));
  const pass = async (ms: number) => {
    for (const end = world.clock.now() + ms; world.clock.now() < end; ) {
      world.clock.advanceTo(world.clock.now() + 1_000);
      await schedule.deliver();
    }
  };
  await engine.fact(world.remediation.name, { ...world.changed(), observedAt: new Date(clock.now()).toISOString() });
  for (let second = 0; second < 300 && (await world.incident()).state !== state; second += 1) await pass(1_000);
  expect((await world.incident()).state).toBe(state);
  offset = 0;
  if (dies) {
    // Its leases stay held until a time that is far away.
    const { id, remediation } = await world.incident();
    await world.state.lease(`incident/${remediation}/${id}`, 'a dead process', world.clock.now() + jump + 30_000, world.clock.now() + jump);
    engine = make();
  }
  return { world, pass, recover: () => engine.recover() };
}

describe.each(JUMPS)('a clock that ran ahead by %s and was put right', (_, jump) => {
  it.each(['planned', 'applied'] as const)('does not hold up an incident that is %s, though nothing else calls it', async (state) => {
    const { world, pass } = await putRightIn(state, jump);
    await pass(10 * MINUTE);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });

  it('does not keep a plan approvable for longer than a plan may be', async () => {
    const { world, pass } = await putRightIn('awaiting-approval', jump, { approves: true });
    const hash = (await world.incident()).plan?.hash ?? '';
    if (jump > 15 * MINUTE) {
      await world.say({ kind: 'approve', hash, by: 'Ann' });
      await pass(5 * MINUTE);
      expect(world.cluster.writes).toEqual([]);
    }
    await pass(20 * MINUTE);
    expect(await world.story()).toMatch(/expired/);
  });

  it('does not leave an incident to the lease of a process that died meanwhile', async () => {
    const { world, pass } = await putRightIn('planned', jump, { dies: true });
    await pass(LONG_WAIT_MS + 10 * MINUTE);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('does not hide an incident whose timer is lost from the one who recovers', async () => {
    const { world, pass, recover } = await putRightIn('planned', jump);
    world.database.exec('DELETE FROM schedule');
    await pass(MINUTE);
    expect((await world.incident()).state).toBe('planned');
    await pass(jump < LONG_WAIT_MS ? jump + 11 * MINUTE : 0);
    await recover();
    await pass(10 * MINUTE);
    expect((await world.incident()).state).toBe('verified');
  });
});
