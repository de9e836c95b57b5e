import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';
import { allLive } from './evidence.ts';
import { jsonPatch } from './plan.ts';
import { clear, fix, type Verdict, wait } from './verdict.ts';

const paint = (name: string, more: { approval?: 'always'; continues?: true } = {}): Verdict =>
  fix(`widget ${name} is red`, {
    evidence: allLive({ name }),
    ...more,
    steps: [
      jsonPatch(
        { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name },
        [
          { op: 'test', path: '/spec/color', value: 'red' },
          { op: 'replace', path: '/spec/color', value: 'blue' },
        ],
        'red is an error',
      ),
    ],
  });

async function auto(instead: NonNullable<Toy['instead']>, toy: Toy = {}): Promise<ToyWorld> {
  const world = new ToyWorld({ ...toy, instead });
  await world.mode('auto');
  return world;
}
const colorOf = (world: ToyWorld, name: string): unknown => world.cluster.get(widgetPath(name))?.spec?.color;
const writes = (world: ToyWorld): string[] => world.cluster.requests.filter(({ stored }) => stored).map(({ path }) => path);

describe('a plan that always asks a person', () => {
  it('waits for one in auto too, and is carried out when that person agrees', async () => {
    const world: ToyWorld = await auto(() => (colorOf(world, 'a') === 'red' ? paint('a', { approval: 'always' }) : clear('blue')));
    await world.fact();
    await world.run(300_000);
    expect((await world.incident()).state).toBe('awaiting-approval');
    expect(world.cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    await world.say({ kind: 'approve', hash: (await world.incident()).plan?.hash ?? '', by: 'ada' });
    await world.run(300_000);
    expect((await world.incident()).state).toBe('verified');
    expect(writes(world)).toEqual([widgetPath('a')]);
  });

  it('is only planned in shadow', async () => {
    const world = await auto(() => paint('a', { approval: 'always' }));
    await world.mode('shadow');
    await world.fact();
    await world.run(300_000);
    expect((await world.incident()).state).toBe('shadowed');
  });
});

describe('a repair in two plans', () => {
  /** `b` is painted only once `a` is blue, and has dried for ten seconds. */
  const inOrder = (world: () => ToyWorld, approval: { approval?: 'always' } = {}) => {
    let blueSince: number | undefined;
    return ({ now }: { now: number }): Verdict => {
      if (colorOf(world(), 'a') === 'red') return paint('a');
      blueSince ??= now;
      if (now - blueSince < 10_000) return wait('a dries', '1s');
      return colorOf(world(), 'b') === 'red' ? paint('b', { continues: true, ...approval }) : clear('both are blue');
    };
  };

  it('writes the second only after the first took effect, confirmed like any other, and is verified at its end', async () => {
    const world: ToyWorld = await auto(inOrder(() => world));
    await world.fact();
    await world.run(600_000);
    expect(writes(world)).toEqual([widgetPath('a'), widgetPath('b')]);
    expect(await world.states()).toEqual(['detected', 'planned', 'executing', 'applied', 'planned', 'executing', 'applied', 'verified']);
    const { history } = await world.incident();
    const planned = history.findLast(({ state }) => state === 'planned')?.at ?? 0;
    const confirmed = history.find(({ state, at }) => state === 'executing' && at >= planned)?.at;
    expect(confirmed).toBe(planned + 30_000);
  });

  it('goes on where it was in another process', async () => {
    const world: ToyWorld = await auto(inOrder(() => world));
    await world.fact();
    for (let passed = 0; passed < 600_000; passed += 7_000) {
      await world.run(7_000);
      await world.restart();
    }
    expect(writes(world)).toEqual([widgetPath('a'), widgetPath('b')]);
    expect((await world.incident()).state).toBe('verified');
  });

  it('asks again for its second plan: an approval is for one hash', async () => {
    const world: ToyWorld = await auto(inOrder(() => world, { approval: 'always' }));
    await world.fact();
    await world.run(300_000);
    expect([(await world.incident()).state, ...writes(world)]).toEqual(['awaiting-approval', widgetPath('a')]);
  });

  it('spends the budget of its object for each plan', async () => {
    const world: ToyWorld = await auto(
      inOrder(() => world),
      { limits: { perObject: { executions: 1, within: '24h' } } },
    );
    await world.fact();
    await world.run(600_000);
    expect([(await world.incident()).state, ...writes(world)]).toEqual(['refused', widgetPath('a')]);
  });

  it('is not begun by a plan that only looks like the next: without the word, the same repair is needed again', async () => {
    const world: ToyWorld = await auto(() => (colorOf(world, 'a') === 'red' ? paint('a') : paint('b')));
    await world.fact();
    await world.run(600_000);
    expect([(await world.incident()).state, ...writes(world)]).toEqual(['reverted', widgetPath('a')]);
  });
});

describe('an object that changes while its fix is verified', () => {
  it('is no sign that the failure goes on: examine says whether it does', async () => {
    const world = await auto(() => undefined, { limits: { settleWithin: '5s', stableFor: '2m' } });
    await world.fact();
    await world.run(60_000);
    expect((await world.incident()).state).toBe('applied');
    await world.fact();
    await world.run(300_000);
    expect((await world.incident()).state).toBe('verified');
  });

  it('is looked at at once: what undid the fix is seen before the next look', async () => {
    const world = await auto(() => undefined, { limits: { settleWithin: '5s', stableFor: '9m' } });
    await world.fact();
    await world.run(60_000);
    world.cluster.change(widgetPath('a'), { spec: { color: 'red' } });
    await world.fact();
    expect((await world.incident()).state).toBe('reverted');
  });
});
