import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { Crash, ToyWorld } from '../test/toy-world.ts';
import { SqliteState, openDatabase } from './state/sqlite.ts';

/** Runs a world whose process dies at its n-th checkpoint and is replaced. False: there were fewer. */
async function dieAt(n: number, toy: Toy): Promise<{ world: ToyWorld; died: boolean }> {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  let passed = 0;
  let died = false;
  world.checkpoint = () => {
    passed += 1;
    if (passed === n) {
      died = true;
      world.checkpoint = () => {
        if (dead) throw new Crash();
      };
      throw new Crash();
    }
  };
  let dead = true;
  await world.fact().catch(mustBeCrash);
  while (!died && world.clock.now() < world.clock.now() + 1 && (await world.incident()).state !== 'verified') {
    // One second at a time, so that the death is noticed when it happens.
    await world.run(1_000);
  }
  dead = false;
  await world.schedule.stop();
  world.schedule.start((appointment) => world.engine.due(appointment));
  await world.restart();
  await world.run(3_600_000);
  return { world, died };
}

const mustBeCrash = (error: Error): void => {
  if (!(error instanceof Crash)) throw error;
};

describe.each<[string, Toy, number]>([
  ['merge-patch', { kind: 'merge-patch' }, 1],
  ['json-patch', { kind: 'json-patch' }, 1],
  ['apply', { kind: 'apply' }, 1],
  ['two steps', { twoSteps: true }, 2],
])('a process that dies (%s)', (_, toy, writes) => {
  it('at any checkpoint is replaced, and the end is the same: one write per step, every change told', async () => {
    const undisturbed = (await dieAt(Number.POSITIVE_INFINITY, toy)).world;
    const states = undisturbed.told.map(({ state }) => state);
    expect(states).toEqual(['planned', 'executing', 'applied', 'verified']);
    for (let n = 1; ; n += 1) {
      const { world, died } = await dieAt(n, toy);
      const incident = await world.incident();
      expect({ n, state: incident.state, effects: incident.effects, writes: world.cluster.writes.length }).toEqual({ n, state: 'verified', effects: [], writes });
      for (const { state, at } of incident.history.slice(1)) {
        const when = new Date(at).toISOString();
        if (state !== 'executing' || incident.history.some((entry) => entry.at === at && entry.state === state))
          expect({ n, told: world.told.some((told) => told.state === state && told.at <= when) }).toEqual({ n, told: true });
      }
      for (const id of new Set(world.told.map((told) => told.id))) {
        const copies = world.told.filter((told) => told.id === id).map(({ state, because, at }) => ({ state, because, at }));
        expect(copies.every((copy) => JSON.stringify(copy) === JSON.stringify(copies[0]))).toBe(true);
      }
      if (!died) {
        expect(n).toBeGreaterThan(30);
        break;
      }
    }
  });

  it('between the write and its record finds the write, and does not repeat it', async () => {
    const world = new ToyWorld(toy);
    await world.mode('auto');
    await world.fact();
    crashOnce(world, 'performed', 'write');
    await world.run(31_000);
    expect(world.cluster.writes).toHaveLength(1);
    await world.restart();
    await world.run(600_000);
    expect((await world.incident()).state).toBe('verified');
    expect((await world.incident()).execution?.written[0]).toMatchObject({ how: 'found' });
    expect(world.cluster.writes).toHaveLength(writes);
  });
});

it('A write that was made, not recorded, and overwritten since is not made again: nobody knows whether it was', async () => {
  const world = new ToyWorld();
  await world.mode('auto');
  await world.fact();
  crashOnce(world, 'performed', 'write');
  await world.run(30_000);
  world.cluster.change(widgetPath('a'), { spec: { color: 'red' } });
  await world.run(600_000);
  expect(await world.story()).toMatch(/failed: not known to be written: .*the process died while it wrote/);
  expect(world.cluster.writes).toHaveLength(1);
});

it('A process that comes back much later asks the third question again instead of trusting old locks', async () => {
  const world = new ToyWorld();
  await world.mode('auto');
  await world.fact();
  crashOnce(world, 'before', 'write');
  world.checkpoint = ((inner) => (point, effect, incident) => {
    inner(point, effect, incident);
  })(world.checkpoint);
  await world.run(30_000);
  world.clock.advanceTo(world.clock.now() + 7_200_000);
  await world.run(600_000);
  expect(await world.story()).toMatch(/the locks were taken too long ago/);
  expect((await world.incident()).state).toBe('verified');
  expect(world.cluster.writes).toHaveLength(1);
});

it('An incident of a remediation that is gone does not keep the others from being taken up', async () => {
  const world = new ToyWorld();
  await world.fact();
  const incident = await world.incident();
  const effects = [{ id: '1.0', kind: 'examine' as const, question: 'detect' as const }];
  await world.state.save({ ...incident, id: 'aaaa00000000', key: 'other', remediation: 'example/gone', revision: 1, effects, updatedAt: 9e15 }, 0);
  await world.state.save({ ...incident, revision: incident.revision + 1, effects }, incident.revision);
  await world.restart();
  expect(world.problems).toEqual([expect.stringMatching(/aaaa00000000 could not be taken up: There is no remediation "example\/gone"/)]);
  expect((await world.state.load(incident.id))?.effects).toEqual([]);
});

it('Two processes with a connection each to one file are one incident and one write', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-'));
  const [one, two] = [openDatabase(join(directory, 'state.db')), openDatabase(join(directory, 'state.db'))];
  try {
    const world = new ToyWorld();
    const engines = [one, two].map((database) => world.newEngine({ state: new SqliteState(database) }));
    await new SqliteState(one).set('mode/example/mend-widgets', 'auto');
    const fact = world.changed();
    const both = () => Promise.all(engines.map((engine) => engine.fact(world.remediation.name, fact)));
    await both();
    for (let n = 0; n < 90; n += 1) {
      world.clock.advanceTo(world.clock.now() + 1_000);
      const [open] = await new SqliteState(two).list();
      const { id = '', look } = open ?? {};
      const due = look && look.at <= world.clock.now() ? { incident: id, token: look.token, at: look.at } : { incident: id, token: 'wake' as const, at: 0 };
      await Promise.all(engines.map((engine) => engine.due(due)));
    }
    const incidents = await new SqliteState(one).list();
    expect(incidents.map(({ state }) => state)).toEqual(['verified']);
    expect(world.cluster.writes).toHaveLength(1);
  } finally {
    one.close();
    two.close();
    rmSync(directory, { recursive: true });
  }
});

function crashOnce(world: ToyWorld, at: string, kind: string): void {
  world.checkpoint = (point, effect) => {
    if (point === at && effect.kind === kind) {
      world.checkpoint = () => undefined;
      throw new Crash();
    }
  };
}
