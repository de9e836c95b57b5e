import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';

const HOUR = 3_600_000;
const roomy = {
  perObject: { executions: 50, within: '24h' },
  perRemediation: { executions: 50, within: '24h' },
  overall: { executions: 50, within: '24h' },
} as const;

/** One more round of the failure: red again, a fact, and time for a whole life. */
async function round(world: ToyWorld, { helps = true } = {}): Promise<string> {
  world.cluster.change(widgetPath('a'), { spec: { color: 'red' }, status: { broken: !helps } });
  await world.fact();
  await world.run(20 * 60_000);
  const { state, because } = await world.incident();
  return `${state}: ${because}`;
}

async function auto(toy: Toy = {}): Promise<ToyWorld> {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  return world;
}

describe('a breaker', () => {
  const scopes = [
    [
      'of the object',
      { object: 2, remediation: 99, overall: 99 },
      /breaker of this object is open: 2 fixes/,
      'object/example/mend-widgets/toy',
    ],
    [
      'of the remediation',
      { object: 99, remediation: 3, overall: 99 },
      /breaker of example\/mend-widgets in toy is open: 3 fixes/,
      'remediation/example/mend-widgets',
    ],
    ['of everything', { object: 99, remediation: 99, overall: 1 }, /breaker of kubemend is open: 1 fixes/, 'overall'],
  ] as const;

  it.each(scopes)('%s opens after its number of fixes that did not help, until a person closes it', async (_, breakers, says, scope) => {
    const world = await auto({ limits: { ...roomy, breakers } });
    const limit = Math.min(breakers.object, breakers.remediation, breakers.overall);
    for (let n = 1; n <= limit; n += 1) {
      expect(await round(world, { helps: false })).toMatch(
        /^ineffective: the fix did not help in time: the widget is blue and still broken/,
      );
      expect(world.cluster.writes).toHaveLength(n);
    }
    const refused = await round(world);
    expect(refused).toMatch(/^refused: nothing was written/);
    expect(refused).toMatch(says);
    await world.run(25 * HOUR);
    expect(await round(world)).toMatch(says);
    expect(world.cluster.writes).toHaveLength(limit);
    await world.state.reset(scope);
    await world.run(25 * HOUR);
    expect(await round(world)).toMatch(/^verified/);
    expect(world.cluster.writes).toHaveLength(limit + 1);
  });

  it('is not moved by fixes that helped', async () => {
    const world = await auto({ limits: { ...roomy, breakers: { object: 1, remediation: 1, overall: 1 } } });
    for (let n = 0; n < 4; n += 1) expect(await round(world)).toMatch(/^verified/);
  });

  it('counts a fix that somebody undid', async () => {
    const world = await auto({ limits: { ...roomy, breakers: { object: 1, remediation: 9, overall: 9 }, stableFor: '5m' } });
    await world.fact();
    await world.run(90_000);
    expect((await world.incident()).state).toBe('applied');
    world.cluster.change(widgetPath('a'), { spec: { color: 'red' } }, 'operator');
    await world.run(10 * 60_000);
    expect(await world.story()).toMatch(/reverted: the same fix is needed again: somebody undid it/);
    expect(await round(world)).toMatch(/breaker of this object is open/);
    expect(world.cluster.writes).toHaveLength(1);
  });
});

describe('a budget', () => {
  it('of two in a day refuses the third, says so, and allows it when the day is over', async () => {
    const world = await auto();
    expect(await round(world)).toMatch(/^verified/);
    expect(await round(world)).toMatch(/^verified/);
    expect(await round(world)).toBe('refused: nothing was written: the budget of this object is spent: 2 in 24h');
    expect(world.cluster.writes).toHaveLength(2);
    await world.run(HOUR / 2);
    await world.fact();
    expect((await world.incident()).state).toBe('refused');
    await world.run(24 * HOUR);
    expect(await round(world)).toMatch(/^verified/);
    expect(world.cluster.writes).toHaveLength(3);
  });

  it('that is refused stays quiet for an hour, not for as long as facts come', async () => {
    const world = await auto({ limits: { perObject: { executions: 1, within: '1h' } } });
    await round(world);
    expect(await round(world)).toMatch(/^refused/);
    for (let hour = 0; hour < 25; hour += 1) {
      await world.run(HOUR);
      await world.fact();
    }
    expect(world.cluster.writes).toHaveLength(2);
    expect((await world.state.list()).filter(({ state }) => state === 'verified')).toHaveLength(2);
  });

  it.each([
    ['the remediation', { ...roomy, perRemediation: { executions: 1, within: '24h' } }, /budget of example\/mend-widgets in toy is spent/],
    ['kubemend', { ...roomy, overall: { executions: 1, within: '24h' } }, /budget of kubemend is spent/],
  ] as const)('of %s holds too', async (_, limits, says) => {
    const world = await auto({ limits });
    await round(world);
    expect(await round(world)).toMatch(says);
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('is spent once for a plan, however often it is prepared', async () => {
    const world = await auto({ limits: { perObject: { executions: 1, within: '24h' } } });
    let attempts = 0;
    world.checkpoint = (point, effect) => {
      if (point === 'before' && effect.kind === 'write') attempts += 1;
      if (point === 'before' && effect.kind === 'write' && attempts <= 3)
        world.cluster.change(widgetPath('a'), { status: { beat: attempts } });
    };
    await world.fact();
    await world.run(20 * 60_000);
    expect(attempts).toBe(4);
    expect((await world.incident()).state).toBe('verified');
  });
});

describe('approve mode', () => {
  async function awaiting(): Promise<{ world: ToyWorld; hash: string }> {
    const world = new ToyWorld();
    await world.mode('approve');
    await world.fact();
    await world.run(60_000);
    const { state, plan } = await world.incident();
    expect(state).toBe('awaiting-approval');
    expect(world.cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    return { world, hash: plan?.hash ?? '' };
  }

  it('writes after a person agreed to this plan, and keeps who', async () => {
    const { world, hash } = await awaiting();
    expect(await world.say({ kind: 'approve', hash, by: 'Ann' })).toBe(true);
    await world.run(HOUR);
    expect(await world.states()).toEqual(['detected', 'planned', 'awaiting-approval', 'executing', 'applied', 'verified']);
    expect((await world.incident()).history.find(({ state }) => state === 'executing')).toMatchObject({ by: 'Ann', planHash: hash });
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('takes no other hash', async () => {
    const { world, hash } = await awaiting();
    expect(await world.say({ kind: 'approve', hash: hash.replace(/^./, 'x'), by: 'Ann' })).toBe(false);
    await world.run(60_000);
    expect(world.cluster.writes).toEqual([]);
  });

  it('takes two approvals at once as one', async () => {
    const { world, hash } = await awaiting();
    const taken = await Promise.all(['Ann', 'Bob'].map((by) => world.say({ kind: 'approve', hash, by })));
    expect(taken.toSorted()).toEqual([false, true]);
    await world.run(HOUR);
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('lets a plan expire when nobody answers; a late approval makes a new plan and writes nothing', async () => {
    const { world, hash } = await awaiting();
    await world.run(16 * 60_000);
    expect((await world.incident()).state).toBe('expired');
    expect(await world.say({ kind: 'approve', hash, by: 'Ann' })).toBe(true);
    await world.run(60_000);
    expect((await world.incident()).state).toBe('awaiting-approval');
    expect(world.cluster.writes).toEqual([]);
    expect(await world.say({ kind: 'approve', hash, by: 'Ann' })).toBe(true);
    await world.run(60_000);
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('asks again when the object changed while the click was on its way', async () => {
    const { world, hash } = await awaiting();
    world.cluster.change(widgetPath('a'), { spec: { shade: 'dark' } });
    await world.say({ kind: 'approve', hash, by: 'Ann' });
    await world.run(60_000);
    const { state, plan } = await world.incident();
    expect({ state, same: plan?.hash === hash }).toEqual({ state: 'awaiting-approval', same: false });
    expect(world.cluster.writes).toEqual([]);
  });

  it('is quiet for a day after a person said no', async () => {
    const { world } = await awaiting();
    expect(await world.say({ kind: 'reject', by: 'Ann', because: 'we deploy' })).toBe(true);
    expect((await world.incident()).because).toBe('Ann rejected it: we deploy');
    for (let hour = 0; hour < 23; hour += 1) {
      await world.run(HOUR);
      await world.fact();
    }
    expect((await world.incident()).state).toBe('refused');
    expect(await world.state.list()).toHaveLength(1);
    await world.run(2 * HOUR);
    await world.fact();
    await world.run(60_000);
    expect((await world.incident()).state).toBe('awaiting-approval');
    expect(world.cluster.writes).toEqual([]);
  });
});

describe('between two steps of a plan', () => {
  it.each(['shadow', 'approve', 'pause'] as const)('%s stops the second, and the first stays known for undo', async (what) => {
    const world = await auto({ twoSteps: true });
    world.checkpoint = async (point, effect) => {
      if (point !== 'stored' || effect.kind !== 'write') return;
      world.checkpoint = () => undefined;
      await (what === 'pause' ? world.state.set('paused', 'by Ann') : world.mode(what));
    };
    await world.fact();
    await world.run(60_000);
    expect(world.cluster.writes.map(({ path }) => path)).toEqual([widgetPath('a')]);
    expect(await world.story()).toMatch(/1 of 2 steps are written, no more: /);
    await world.state.set('paused', undefined);
    expect(await world.say({ kind: 'undo', by: 'Ann' })).toBe(true);
  });
});

describe('the pause switch', () => {
  it('stops before anything is sent or spent, and lets go on when it is taken back', async () => {
    const world = await auto({ limits: { perObject: { executions: 1, within: '24h' } } });
    await world.state.set('paused', 'by Ann');
    await world.fact();
    await world.run(HOUR);
    expect(await world.story()).toMatch(/waiting: nothing was written: kubemend is paused/);
    expect(world.cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    await world.state.set('paused', undefined);
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  });
});
