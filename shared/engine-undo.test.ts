import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { Crash, ToyWorld } from '../test/toy-world.ts';
import { allLive } from './evidence.ts';
import { type Create, type Delete, jsonPatch, mergePatch, type Step } from './plan.ts';
import { clear, fix } from './verdict.ts';

const HOUR = 3_600_000;
const by = 'Ann';
const undo = { kind: 'undo', by } as const;
const spec = (toy: ToyWorld, name = 'a') => toy.cluster.get(widgetPath(name))?.spec;
const target = (name: string) => ({ group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name });

/** A world in which the widget was mended. */
async function mended(toy: Toy = {}): Promise<ToyWorld> {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  await world.fact();
  await world.run(HOUR);
  expect((await world.incident()).state).toBe('verified');
  return world;
}

/** A world in which these steps were written, once, on widgets `a` and `b`. */
async function wrote(steps: Step[], before: Record<string, unknown> = {}): Promise<ToyWorld> {
  let asked = 0;
  const world = new ToyWorld({
    instead: ({ question }) =>
      question === 'verify' || asked++ > 2 ? clear('done') : fix('as asked', { evidence: allLive({ color: 'red' }), steps }),
  });
  world.cluster.change(widgetPath('a'), { spec: before });
  await world.mode('auto');
  await world.fact();
  await world.run(HOUR);
  expect((await world.incident()).state).toBe('verified');
  return world;
}

async function undone(world: ToyWorld): Promise<string> {
  expect(await world.say(undo)).toBe(true);
  await world.run(60_000);
  const { state, because } = await world.incident();
  return `${state}: ${because}`;
}

describe('undo', () => {
  it.each(['merge-patch', 'json-patch', 'apply'] as const)(
    'writes back what a %s replaced, once, under its lock, and tells it',
    async (kind) => {
      const world = await mended({ kind });
      expect(spec(world)?.color).toBe('blue');
      expect(await undone(world)).toBe('undone: undone, as Ann wanted: the step is written back');
      expect(spec(world)?.color).toBe('red');
      expect(world.cluster.writes).toHaveLength(2);
      expect(world.told.slice(-2).map(({ state }) => state)).toEqual(['undoing', 'undone']);
      expect((await world.incident()).undo).toMatchObject({ by, plan: { steps: [{ kind }] }, execution: { written: [{ how: 'wrote' }] } });
    },
  );

  it('goes back through several steps, the last first', async () => {
    const world = await mended({ twoSteps: true });
    expect(await undone(world)).toMatch(/2 steps are written back/);
    expect([spec(world)?.color, spec(world, 'b')?.color]).toEqual(['red', 'red']);
    expect(world.cluster.writes.slice(2).map(({ path }) => path)).toEqual([widgetPath('b'), widgetPath('a')]);
  });

  const arrays = [
    { op: 'add', path: '/spec/ports/-', value: 3 },
    { op: 'remove', path: '/spec/ports/0' },
    { op: 'add', path: '/spec/fresh', value: { a: 1 } },
    { op: 'remove', path: '/spec/color' },
    { op: 'replace', path: '/spec/label~1x', value: 'new' },
  ] as const;
  it('puts members, whole arrays and what was removed back where they were', async () => {
    const before = { ports: [1, 2], 'label/x': 'old' };
    const world = await wrote([jsonPatch(target('a'), [...arrays], 'many')], before);
    expect(spec(world)).toEqual({ ports: [2, 3], fresh: { a: 1 }, 'label/x': 'new' });
    expect(await undone(world)).toMatch(/^undone/);
    expect(spec(world)).toEqual({ color: 'red', ...before });
  });

  it('removes what a merge patch added and restores what it removed', async () => {
    const world = await wrote([
      mergePatch(target('a'), { spec: { color: null, extra: { deep: 1 } }, metadata: { annotations: { period: '1h' } } }, 'x'),
    ]);
    expect(await undone(world)).toMatch(/^undone/);
    expect(spec(world)?.color).toBe('red');
    expect(world.cluster.get(widgetPath('a'))).not.toMatchObject({ spec: { extra: { deep: 1 } } });
    expect(world.cluster.get(widgetPath('a'))?.metadata.annotations ?? {}).not.toHaveProperty('period');
  });

  it('re-creates what was deleted', async () => {
    const gone: Delete = { kind: 'delete', target: target('b'), reason: 'gone' };
    const world = await wrote([gone]);
    expect(world.cluster.get(widgetPath('b'))).toBeUndefined();
    expect(await undone(world)).toMatch(/^undone/);
    expect(spec(world, 'b')).toEqual({ color: 'red' });
  });

  const create: Create = {
    kind: 'create',
    target: target('c'),
    object: { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'c', namespace: 'shop' }, spec: { size: 1 } },
    reason: 'new',
  };
  it('deletes what was created and nobody took up', async () => {
    const world = await wrote([create]);
    expect(await undone(world)).toMatch(/^undone/);
    expect(world.cluster.get(widgetPath('c'))).toBeUndefined();
  });

  it('says that what a controller took up has no inverse', async () => {
    const world = await wrote([create]);
    world.cluster.change(widgetPath('c'), { status: { phase: 'Running' } });
    expect(await undone(world)).toMatch(
      /^verified: nothing was undone: create on widgets shop\/c: a controller has taken it up: .*no inverse/,
    );
    expect(world.cluster.get(widgetPath('c'))).toBeDefined();
  });
});

describe('an undoing', () => {
  it('ends a verification: what was applied is undone, not called ineffective', async () => {
    const world = new ToyWorld({ limits: { stableFor: '9m' } });
    await world.mode('auto');
    await world.fact();
    await world.run(60_000);
    expect((await world.incident()).state).toBe('applied');
    expect(await undone(world)).toMatch(/^undone/);
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('undone');
  });

  it('that writes nothing leaves a verification as it was', async () => {
    const world = new ToyWorld({ limits: { stableFor: '9m' } });
    await world.mode('auto');
    await world.fact();
    await world.run(60_000);
    await world.state.set('paused', 'Bob');
    expect(await undone(world)).toMatch(/^applied: nothing was undone/);
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('verified');
  });

  it('is quiet for a day: the machine does not fight the person', async () => {
    const world = await mended();
    await undone(world);
    await world.run(HOUR);
    await world.fact();
    await world.run(HOUR);
    expect(spec(world)?.color).toBe('red');
    expect(await world.state.list()).toHaveLength(1);
  });

  it('is taken once, and not where nothing was written', async () => {
    const world = await mended();
    const taken = await Promise.all([world.say(undo), world.say(undo)]);
    expect(taken.toSorted()).toEqual([false, true]);
    await world.run(60_000);
    expect(await world.say(undo)).toBe(false);
    const shadow = new ToyWorld();
    await shadow.fact();
    await shadow.run(60_000);
    expect(await shadow.say(undo)).toBe(false);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('writes at most once when the process dies (%i)', async (death) => {
    const world = await mended({ kind: 'json-patch' });
    let points = 0;
    world.checkpoint = () => {
      points += 1;
      if (points === death) throw new Crash();
    };
    await world.say(undo);
    await world.run(1_000);
    world.checkpoint = () => undefined;
    await world.restart();
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('undone');
    expect(spec(world)?.color).toBe('red');
    expect(world.cluster.writes).toHaveLength(2);
  });

  /** A repair in two plans: first `a`, then `b`. */
  function inTwo(): ToyWorld {
    let asked: 'a' | 'b' = 'a';
    const world: ToyWorld = new ToyWorld({
      limits: { perObject: { executions: 9, within: '24h' } },
      instead({ question }) {
        const color = (name: string) => spec(world, name)?.color;
        if (color('a') === 'blue') asked = 'b';
        if (color(asked) !== 'red') return clear('both are blue');
        return fix(`${asked} is red`, {
          evidence: allLive({ asked }),
          ...(question === 'verify' && { continues: true as const }),
          steps: [mergePatch(target(asked), { spec: { color: 'blue' } }, 'x')],
        });
      },
    });
    return world;
  }

  it('goes back over both plans of a repair in two', async () => {
    const world = inTwo();
    await world.mode('auto');
    await world.fact();
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes.map(({ path }) => path)).toEqual([widgetPath('a'), widgetPath('b')]);
    expect(await undone(world)).toMatch(/2 steps are written back/);
    expect([spec(world)?.color, spec(world, 'b')?.color]).toEqual(['red', 'red']);
  });

  it('is not overtaken by an answer that was on its way when it was asked for', async () => {
    const world = inTwo();
    let said = false;
    world.checkpoint = async (point, effect, { past = [] }) => {
      if (said || point !== 'performed' || effect.kind !== 'examine' || effect.question !== 'confirm' || past.length === 0) return;
      said = true;
      await world.say(undo);
    };
    await world.mode('auto');
    await world.fact();
    await world.run(HOUR);
    expect([said, ...(await world.states()).slice(-2)]).toEqual([true, 'undoing', 'undone']);
    expect([spec(world)?.color, spec(world, 'b')?.color]).toEqual(['red', 'red']);
  });
});
