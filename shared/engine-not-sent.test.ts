import { describe, expect, it } from '@jest/globals';
import { Crash, ToyWorld } from '../test/toy-world.ts';

/** A world at the moment of its write: `fails` is asked with each request from then on, and what it answers is thrown once. */
async function atTheWrite(fails: (method: string) => Error | undefined): Promise<ToyWorld> {
  const world = new ToyWorld();
  await world.mode('auto');
  let failed = false;
  world.checkpoint = (point, effect) => {
    if (point !== 'before' || effect.kind !== 'write') return;
    world.checkpoint = () => undefined;
    world.cluster.intercept = ({ method }) => {
      const error = failed ? undefined : fails(method);
      failed ||= error !== undefined;
      if (error) throw error;
      return undefined;
    };
  };
  await world.fact();
  return world;
}

const over = (): Error => Object.assign(new Error('The invocation is over: nothing more is sent'), { sent: false });

describe('a write that certainly was not sent', () => {
  it.each([
    ['the invocation was over before the object was read', (method: string) => (method === 'GET' ? over() : undefined), /is over/],
    ['the invocation was over after the object was read', (method: string) => (method === 'PATCH' ? over() : undefined), /is over/],
    ['the object could not be read', (method: string) => (method === 'GET' ? new Error('socket hang up') : undefined), /socket hang up/],
  ])('is made later, once: %s', async (_, fails, because) => {
    const world = await atTheWrite(fails);
    await world.run(3_600_000);
    expect(await world.story()).toMatch(/waiting: nothing was written: widgets shop\/a/);
    expect(await world.story()).toMatch(because);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  });
});

describe('a write that a process that died may have sent', () => {
  /** The first process dies when it has written; the second gets as far as `fails` lets it. */
  async function died(fails: () => Error): Promise<ToyWorld> {
    const world = await atTheWrite(() => undefined);
    world.checkpoint = (point, effect) => {
      if (point !== 'performed' || effect.kind !== 'write') return;
      world.checkpoint = () => undefined;
      world.cluster.intercept = () => {
        world.cluster.intercept = () => undefined;
        throw fails();
      };
      throw new Crash();
    };
    await world.run(40_000);
    return world;
  }

  it('is looked for again when the next invocation was over before it could look, and not repeated', async () => {
    const world = await died(over);
    expect((await world.incident()).state).toBe('executing');
    await world.run(3_600_000);
    expect(world.problems.join()).toMatch(/whether its step is written is looked for later: .*The invocation is over/);
    expect((await world.incident()).state).toBe('verified');
    expect((await world.incident()).execution?.written).toMatchObject([{ how: 'found' }]);
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('stays unknown while the object cannot be read, and is found when it can', async () => {
    const world = await died(() => new Error('socket hang up'));
    expect(await world.story()).toMatch(/executing: not known yet whether step 1 is written: .*socket hang up$/);
    await world.run(3_600_000);
    expect((await world.incident()).state).toBe('verified');
    expect((await world.incident()).execution?.written).toMatchObject([{ how: 'found' }]);
    expect(world.cluster.writes).toHaveLength(1);
  });
});
