import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { Crash, ToyWorld } from '../test/toy-world.ts';
import { openDatabase, SqliteState } from './state/sqlite.ts';

/** Runs a world whose process dies at its n-th checkpoint and is replaced. False: there were fewer. */
async function dieAt(n: number, toy: Toy): Promise<{ world: ToyWorld; died: boolean }> {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  let passed = 0;
  world.checkpoint = () => {
    passed += 1;
    // Dead stays dead: what the old process still holds gets no further either.
    if (passed >= n) throw new Crash();
  };
  await world.fact().catch(mustBeCrash);
  // One second at a time, so that the death is noticed when it happens.
  for (let second = 0; passed < n && second < 120; second += 1) await world.run(1_000);
  const died = passed >= n;
  world.checkpoint = () => undefined;
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
    expect(states).toEqual(['detected', 'planned', 'executing', 'applied', 'verified']);
    for (let n = 1; ; n += 1) {
      const { world, died } = await dieAt(n, toy);
      const incident = await world.incident();
      expect({ n, state: incident.state, effects: incident.effects, writes: world.cluster.writes.length }).toEqual({
        n,
        state: 'verified',
        effects: [],
        writes,
      });
      const told = new Set(world.told.map(({ state, because }) => `${state}: ${because}`));
      const changes = incident.history.slice(1).filter(({ question }) => question !== 'before-write');
      expect(changes.filter(({ state, because }) => !told.has(`${state}: ${because}`))).toEqual([]);
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
    if (writes === 1) expect((await world.incident()).execution?.written[0]).toMatchObject({ how: 'found' });
    else expect(await world.story()).toMatch(/waiting: 1 of 2 steps are written, no more: the locks were taken too long ago/);
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
  await world.state.save(
    { ...incident, id: 'aaaa00000000', key: 'other', remediation: 'example/gone', revision: 1, effects, updatedAt: 9e15 },
    0,
  );
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
      const due =
        look && look.at <= world.clock.now()
          ? { incident: id, token: look.token, at: look.at }
          : { incident: id, token: 'wake' as const, at: 0 };
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
