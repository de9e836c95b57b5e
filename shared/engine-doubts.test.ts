import { describe, expect, it } from '@jest/globals';
import type { Fault } from '../test/memory-cluster.ts';
import type { Toy } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';
import { Doubt } from './cluster.ts';

async function auto(toy: Toy = {}): Promise<ToyWorld> {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  return world;
}

/** Answers the first real write, or the dry run before it, with a fault. */
function faultOn(world: ToyWorld, which: 'write' | 'dry run', fault: Fault): void {
  let done = false;
  world.cluster.intercept = ({ method, path }) => {
    if (done || method !== 'PATCH' || path.includes('dryRun') !== (which === 'dry run')) return undefined;
    done = true;
    return fault;
  };
}

describe('a write', () => {
  const rows: [string, 'write' | 'dry run', Fault, string, RegExp, number][] = [
    [
      'whose answer is lost after it took place is found, not repeated',
      'write',
      'lost after',
      'verified',
      /applied: the step is written/,
      1,
    ],
    [
      'whose request is lost is not repeated',
      'write',
      'lost before',
      'failed',
      /not known yet whether step 1 is written: .*socket hang up\nfailed: step 1 was not written: .*socket hang up/,
      0,
    ],
    [
      'that is answered 500 is not repeated',
      'write',
      { status: 500, message: 'etcdserver: timeout' },
      'failed',
      /not known yet whether step 1 is written: .*500: etcdserver: timeout\nfailed: step 1 was not written: .*500: etcdserver/,
      0,
    ],
    ...[302, 408, 425, 502, 504].map((status): (typeof rows)[number] => [
      `that a proxy answers with ${status} may still take effect, and is not repeated`,
      'write',
      { status, message: 'from a proxy' },
      'failed',
      /not known yet whether step 1 is written: .*from a proxy\nfailed: step 1 was not written: .*from a proxy/,
      0,
    ]),
    [
      'that is forbidden is refused with what to apply',
      'write',
      { status: 403, message: 'cannot patch' },
      'refused',
      /no permission: .*403: cannot patch.*Apply the RBAC of example\/mend-widgets/,
      0,
    ],
    [
      'whose dry run is forbidden is refused with what to apply',
      'dry run',
      { status: 403, message: 'cannot patch' },
      'refused',
      /no permission: .*Apply the RBAC of example\/mend-widgets/,
      0,
    ],
    [
      'whose dry run an admission webhook denies once is planned anew',
      'dry run',
      { status: 400, message: 'denied' },
      'verified',
      /the dry run was refused: .*400: denied/,
      1,
    ],
    [
      'whose dry run gets no answer waits and is planned anew',
      'dry run',
      'lost before',
      'verified',
      /waiting: not certain: .*socket hang up/,
      1,
    ],
  ];
  it.each(rows)('%s', async (_, which, fault, state, says, writes) => {
    const world = await auto();
    await world.fact();
    faultOn(world, which, fault);
    await world.run(3_600_000);
    expect((await world.incident()).state).toBe(state);
    expect(await world.story()).toMatch(says);
    expect(world.cluster.writes).toHaveLength(writes);
  });

  it('that is answered 200 and changes nothing is counted, and not made again in this incident', async () => {
    const world = await auto();
    await world.fact();
    faultOn(world, 'write', 'swallowed');
    await world.run(3_600_000);
    expect(['reverted', 'ineffective']).toContain((await world.incident()).state);
    expect(await world.state.tallied('overall')).toBe(1);
    expect(world.cluster.requests.filter(({ method, dryRun }) => method === 'PATCH' && !dryRun)).toHaveLength(1);
  });
});

describe('a doubt', () => {
  it.each([
    ['no permission', () => ({ status: 403, message: 'cannot get widgets' }), /403: cannot get widgets \(apply the RBAC/],
    ['no answer', () => 'lost before' as const, /socket hang up/],
    ['a broken server', () => ({ status: 500, message: 'boom' }), /500: boom/],
  ])('(%s) waits longer each time, is reported after five, and never writes', async (_, fault, says) => {
    const world = await auto();
    world.cluster.intercept = fault;
    await world.fact();
    await world.run(200_000);
    const { history, state } = await world.incident();
    expect(state).toBe('reported');
    expect(history.at(-1)?.because).toMatch(says);
    const looks = world.cluster.requests.length;
    expect(looks === 0 || looks === 5).toBe(true);
    await world.run(3_600_000);
    expect(world.cluster.writes).toEqual([]);
    world.cluster.intercept = () => undefined;
    await world.run(1_200_000);
    expect((await world.incident()).state).toBe('verified');
  });

  it('of the remediation itself (a bug, a thing that was never recorded) is one too', async () => {
    const world = await auto({
      instead: () => {
        throw new Doubt('pods were not recorded');
      },
    });
    await world.fact();
    const paces: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const { look } = await world.incident();
      paces.push((look?.at ?? 0) - world.clock.now());
      await world.run(paces[n] ?? 0);
    }
    expect(paces).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect((await world.incident()).because).toBe('it cannot be examined: pods were not recorded');
  });

  it('while a fix is verified is looked at again until the time is over', async () => {
    const world = await auto({ limits: { verifyWithin: '3m' } });
    await world.fact();
    await world.run(30_000);
    world.cluster.intercept = () => ({ status: 500, message: 'boom' });
    await world.run(3_600_000);
    expect(await world.story()).toMatch(/ineffective: the fix could not be verified in time: .*boom/);
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('of the state store writes nothing, and it goes on when the store is back', async () => {
    for (const method of ['lease', 'spend', 'setting', 'save', 'tallied'] as const) {
      const world = await auto();
      await world.fact();
      Object.assign(world.state, { [method]: () => Promise.reject(new Error('the store is away')) });
      await world.run(32_000);
      expect({ method, writes: world.cluster.writes }).toEqual({ method, writes: [] });
      Reflect.deleteProperty(world.state, method);
      await world.run(3_600_000);
      expect({ method, state: (await world.incident()).state, writes: world.cluster.writes.length }).toEqual({
        method,
        state: 'verified',
        writes: 1,
      });
    }
  });

  it('about the bus changes nothing: the remediation goes on, and everything is told later, once', async () => {
    const world = await auto();
    world.bus = { publish: () => Promise.reject(new Error('throttled')) };
    await world.fact();
    await world.run(600_000);
    expect((await world.incident()).state).toBe('verified');
    expect(world.told).toEqual([]);
    expect(world.problems[0]).toMatch(/Incident .* could not be told: throttled/);
    world.bus = { publish: async () => undefined };
    await world.run(300_000);
    expect(world.told.map(({ state }) => state)).toEqual(['detected', 'planned', 'executing', 'applied', 'verified']);
  });
});
