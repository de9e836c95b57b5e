import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';

const HOUR = 3_600_000;
const by = 'Ann';
const undo = { kind: 'undo', by } as const;
const spec = (toy: ToyWorld, name = 'a') => toy.cluster.get(widgetPath(name))?.spec;

/** A world in which the widget was mended. */
async function mended(toy: Toy = {}): Promise<ToyWorld> {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  await world.fact();
  await world.run(HOUR);
  expect((await world.incident()).state).toBe('verified');
  return world;
}

async function undone(world: ToyWorld): Promise<string> {
  expect(await world.say(undo)).toBe(true);
  await world.run(120_000);
  const { state, because } = await world.incident();
  return `${state}: ${because}`;
}

describe('undo shows the difference and writes nothing when', () => {
  it.each<[string, Toy, (world: ToyWorld) => unknown, RegExp]>([
    [
      'the field was changed since',
      {},
      (world) => world.cluster.change(widgetPath('a'), { spec: { color: 'green' } }),
      /spec\.color was written as "blue", is "green"/,
    ],
    [
      'the field was changed since (JSON Patch)',
      { kind: 'json-patch' },
      (world) => world.cluster.change(widgetPath('a'), { spec: { color: 'green' } }),
      /spec\.color was written as "blue", is "green"/,
    ],
    [
      'the field was changed since (apply)',
      { kind: 'apply' },
      (world) => world.cluster.change(widgetPath('a'), { spec: { color: 'green' } }),
      /spec\.color was written as "blue", is "green"/,
    ],
    [
      'one of two objects was changed since',
      { twoSteps: true },
      (world) => world.cluster.change(widgetPath('b'), { spec: { color: 'green' } }),
      /widgets shop\/b: spec\.color was written as "blue", is "green"/,
    ],
    ['the object is gone', {}, (world) => world.cluster.remove(widgetPath('a')), /it is gone/],
    ['it was created again', {}, recreate, /it was deleted and created again/],
    [
      'somebody owns it now',
      {},
      (world) => world.cluster.change(widgetPath('a'), { metadata: { labels: { 'argocd.argoproj.io/instance': 'x' } } }),
      /belongs to Argo CD now/,
    ],
    [
      'what was there is not kept',
      {},
      (world) => {
        world.artifacts.get = async () => Promise.reject(new Error('the backup is gone'));
      },
      /the backup is gone/,
    ],
    ['kubemend is paused', {}, (world) => world.state.set('paused', 'Bob'), /kubemend is paused. To go on, run: kubemend resume$/],
    [
      'the remediation is paused',
      {},
      (world) => world.state.set('paused/example/mend-widgets', 'Bob'),
      /paused for example\/mend-widgets. To go on, run: kubemend resume example\/mend-widgets$/,
    ],
    [
      'another incident does not stop changing the object',
      {},
      (world) => world.state.lease('target/example.com/widgets/toy/shop/a', 'other', world.clock.now() + 600_000, world.clock.now()),
      /another incident is changing widgets shop\/a/,
    ],
    [
      'there is no permission',
      {},
      (world) => {
        world.cluster.intercept = ({ method }) => (method === 'GET' ? undefined : { status: 403, message: 'no' });
      },
      /no permission/,
    ],
    [
      'the object cannot be read',
      {},
      (world) => {
        world.cluster.intercept = () => 'lost before';
      },
      /socket hang up/,
    ],
  ])('%s', async (_, toy, move, says) => {
    const world = await mended(toy);
    const writes = world.cluster.writes.length;
    await move(world);
    const result = await undone(world);
    expect(result).toMatch(/^verified: nothing was undone: /);
    expect(result).toMatch(says);
    expect(world.cluster.writes).toHaveLength(writes);
    expect(world.told.at(-1)).toMatchObject({ state: 'verified', because: expect.stringMatching(says) });
  });

  it('it is paused, and then not even a dry run is sent', async () => {
    const world = await mended();
    await world.state.set('paused', 'Bob');
    const asked = world.cluster.requests.length;
    await undone(world);
    expect(world.cluster.requests.slice(asked).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('the object moved between the question and the write', async () => {
    const world = await mended();
    world.checkpoint = (point, effect) => {
      if (point === 'before' && effect.kind === 'write') world.cluster.change(widgetPath('a'), { status: { beat: 1 } });
    };
    expect(await undone(world)).toMatch(/^verified: nothing was undone: .*changed after it was read/);
    expect(spec(world)?.color).toBe('blue');
  });
});

describe('undo', () => {
  const perObject = { executions: 1, within: '24h' } as const;
  const lease = 'target/example.com/widgets/toy/shop/a';

  it.each<[string, Toy, (world: ToyWorld) => unknown]>([
    ['a spent budget', { limits: { perObject } }, () => undefined],
    ['shadow mode, which begins nothing', {}, (world) => world.mode('shadow')],
    [
      'another incident that is just changing the object',
      {},
      (world) => world.state.lease(lease, 'other', world.clock.now() + 30_000, world.clock.now()),
    ],
    ['a retry that was refused', { limits: { perObject } }, refusedRetry],
    ['a retry whose locks did not hold', {}, (world) => lateRetry(world)],
  ])('is not held up by %s', async (_, toy, happen) => {
    const world = await mended(toy);
    const { id } = await world.incident();
    const writes = world.cluster.writes.length;
    await happen(world);
    expect(await world.say(undo, id)).toBe(true);
    await world.run(40_000);
    expect((await world.state.load(id))?.state).toBe('undone');
    expect([spec(world)?.color, world.cluster.writes.length]).toEqual(['red', writes + 1]);
  });

  const retry = async (world: ToyWorld) => world.say({ kind: 'retry', hash: (await world.incident()).plan?.hash ?? '', by });
  async function refusedRetry(world: ToyWorld): Promise<void> {
    expect(await retry(world)).toBe(true);
    await world.run(1);
    expect(await world.incident()).toMatchObject({ state: 'refused', because: expect.stringMatching(/holds no more/) });
  }

  /** The plan holds again, until the very write: then somebody did the same. */
  async function lateRetry(world: ToyWorld): Promise<void> {
    world.cluster.change(widgetPath('a'), { spec: { color: 'red' } });
    world.checkpoint = (point, effect) => {
      if (point === 'before' && effect.kind === 'write') world.cluster.change(widgetPath('a'), { spec: { color: 'blue' } });
    };
    expect(await retry(world)).toBe(true);
    await world.run(1);
    expect(await world.incident()).toMatchObject({ state: 'refused', because: expect.stringMatching(/changed after it was read/) });
    world.checkpoint = () => undefined;
  }
});

function recreate(world: ToyWorld): void {
  world.cluster.remove(widgetPath('a'));
  world.cluster.create(widgetPath('a'), { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'blue' } });
}
