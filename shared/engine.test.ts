import { describe, expect, it } from '@jest/globals';
import { widgetPath } from '../test/toy-remediation.ts';
import { START, ToyWorld } from '../test/toy-world.ts';

const color = (world: ToyWorld, name = 'a') => world.cluster.get(widgetPath(name))?.spec?.color;

describe('shadow mode', () => {
  it('is what is not set: it plans, sends no write request of any kind, and ends shadowed', async () => {
    const world = new ToyWorld();
    await world.fact();
    await world.run(300_000);
    expect(await world.states()).toEqual(['detected', 'planned', 'shadowed']);
    expect(world.cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(world.cluster.requests.length).toBeGreaterThan(0);
  });

  it.each(['shadow', 'Auto', 'yes', ''])('is also what an unknown mode means: "%s"', async (mode) => {
    const world = new ToyWorld();
    await world.state.set(`mode/${world.remediation.name}`, mode);
    await world.fact();
    await world.run(300_000);
    expect((await world.incident()).state).toBe('shadowed');
    expect(color(world)).toBe('red');
  });

  it('sees that the failure went away by itself', async () => {
    const world = new ToyWorld();
    await world.fact();
    await world.run(60_000);
    world.cluster.change(widgetPath('a'), { spec: { color: 'green' } });
    await world.run(3_600_000);
    expect((await world.incident()).state).toBe('resolved');
  });

  it('is left when the mode is set to auto later', async () => {
    const world = new ToyWorld();
    await world.fact();
    await world.run(60_000);
    await world.mode('auto');
    await world.run(3_600_000);
    expect((await world.incident()).state).toBe('verified');
  });
});

describe.each(['merge-patch', 'json-patch', 'apply'] as const)('auto mode, %s', (kind) => {
  it('detects, plans, confirms, writes once, verifies and tells each change once', async () => {
    const world = new ToyWorld({ kind });
    await world.mode('auto');
    await world.fact();
    await world.run(600_000);
    const incident = await world.incident();
    expect(await world.states()).toEqual(['detected', 'planned', 'executing', 'applied', 'verified']);
    expect(world.cluster.writes).toMatchObject([{ method: 'PATCH', dryRun: false, status: 200 }]);
    expect(world.cluster.requests.filter(({ method, dryRun }) => method === 'PATCH' && dryRun)).toHaveLength(1);
    expect(color(world)).toBe('blue');
    expect(world.told.map(({ state }) => state)).toEqual(['detected', 'planned', 'executing', 'applied', 'verified']);
    expect(new Set(world.told.map(({ id }) => id)).size).toBe(world.told.length);
    expect(incident.effects).toEqual([]);
    expect(incident.history.map(({ question }) => question)).toEqual([undefined, 'detect', 'confirm', 'before-write', undefined, 'verify']);
    expect(incident.execution?.written).toMatchObject([{ index: 0, how: 'wrote' }]);
    expect(world.problems).toEqual([]);
  });

  it('waits confirmAfter before it writes and stableFor before it is content', async () => {
    const world = new ToyWorld({ kind, limits: { confirmAfter: '45s', settleWithin: '20s', stableFor: '90s' } });
    await world.mode('auto');
    await world.fact();
    await world.run(44_900);
    expect(world.cluster.writes).toHaveLength(0);
    await world.run(600_000);
    const [, , , { at: executing } = { at: 0 }] = (await world.incident()).history;
    expect(executing).toBe(START + 45_000);
    const { updatedAt } = await world.incident();
    expect(updatedAt - executing).toBeGreaterThanOrEqual(90_000);
    expect(updatedAt - executing).toBeLessThan(95_000);
  });

  it('keeps the object as it was', async () => {
    const world = new ToyWorld({ kind });
    await world.mode('auto');
    await world.fact();
    await world.run(60_000);
    const backup = (await world.incident()).execution?.steps[0]?.backup;
    expect(JSON.parse(await world.artifacts.get(backup?.artifact ?? ''))).toMatchObject({ spec: { color: 'red' } });
  });
});

describe('two steps', () => {
  it('are written in order, once each', async () => {
    const world = new ToyWorld({ twoSteps: true });
    await world.mode('auto');
    await world.fact();
    await world.run(600_000);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes.map(({ path }) => path)).toEqual([widgetPath('a'), widgetPath('b')]);
  });

  it('stop between them when the second target changed', async () => {
    const world = new ToyWorld({ twoSteps: true });
    await world.mode('auto');
    await world.fact();
    world.checkpoint = (point, effect) => {
      if (point === 'before' && effect.kind === 'write' && effect.step === 1)
        world.cluster.change(widgetPath('b'), { spec: { shade: 'dark' } });
    };
    await world.run(600_000);
    expect(await world.story()).toMatch(/failed: stopped between two steps: .*widgets shop\/b changed/);
    expect(world.cluster.writes).toHaveLength(1);
  });
});

describe('facts', () => {
  it('that come ten times, shuffled and at once, are one incident and one write', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    const facts = Array.from({ length: 10 }, (_, n) => world.changed(`fact-number-${n % 5}`));
    await Promise.all(facts.map((fact) => world.fact(fact)));
    await world.run(30_000);
    await Promise.all(facts.toReversed().map((fact) => world.fact(fact)));
    await world.run(600_000);
    await Promise.all(facts.map((fact) => world.fact(fact)));
    await world.run(600_000);
    expect(await world.state.list()).toHaveLength(1);
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('that two processes take at the same time are one incident and one write', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    const second = world.newEngine();
    const schedules = [world.schedule, world.newSchedule()];
    schedules[1]?.start((appointment) => second.due(appointment));
    await Promise.all([world.fact(), second.fact(world.remediation.name, world.changed())]);
    for (let n = 0; n < 1_000; n += 1) {
      world.clock.advanceTo(world.clock.now() + 1_000);
      await Promise.all(schedules.map((schedule) => schedule.deliver()));
    }
    expect(await world.state.list()).toHaveLength(1);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('that are new after the end open the next incident; copies of old ones do not', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    const first = world.changed();
    await world.fact(first);
    await world.run(600_000);
    await world.fact(first);
    expect(await world.state.list()).toHaveLength(1);
    world.cluster.change(widgetPath('a'), { spec: { color: 'red' } });
    await world.fact();
    await world.run(600_000);
    expect((await world.state.list()).map(({ state }) => state)).toEqual(['verified', 'verified']);
    expect(world.cluster.writes).toHaveLength(2);
  });

  it('soon after a clear answer wait for the next look; they are not dropped', async () => {
    const world = new ToyWorld();
    world.cluster.change(widgetPath('a'), { spec: { color: 'blue' } });
    await world.fact();
    expect((await world.incident()).state).toBe('cleared');
    world.cluster.change(widgetPath('a'), { spec: { color: 'red' } });
    await world.run(5_000);
    await world.fact();
    await world.run(60_000);
    expect((await world.incident()).state).toBe('planned');
  });

  it('for an unknown remediation or cluster are an error that names it', async () => {
    const world = new ToyWorld();
    await expect(world.engine.fact('no/such', world.changed())).rejects.toThrow(/There is no remediation "no\/such"/);
  });
});
