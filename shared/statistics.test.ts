import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';
import type { Mode } from './input.ts';
import { againstAuto, judge, recordsOf, wilson } from './statistics.ts';

const HOUR = 3_600_000;
const by = 'Ann';
const paint = (world: ToyWorld, color: string) => world.cluster.change(widgetPath('a'), { spec: { color } });

/** What a whole life in a mode is judged, when something happens after a minute. */
async function judged(mode: Mode, happens: (world: ToyWorld) => unknown, toy: Toy = {}, after = 60_000) {
  const world = new ToyWorld(toy);
  await world.mode(mode);
  await world.fact();
  await world.run(after);
  await happens(world);
  await world.run(HOUR);
  return judge(await world.incident());
}

const approve = async (world: ToyWorld) => world.say({ kind: 'approve', hash: (await world.incident()).plan?.hash ?? '', by });
const kinds = ['merge-patch', 'json-patch', 'apply'] as const;

describe('a plan is', () => {
  it.each(kinds)('confirmed, when somebody did what was planned by hand (%s)', async (kind) => {
    expect(await judged('shadow', (world) => paint(world, 'blue'), { kind })).toBe('confirmed');
  });
  it('confirmed, when a person approved it', async () => {
    expect(await judged('approve', approve)).toBe('confirmed');
  });
  it('confirmed, when it was carried out and helped', async () => {
    expect(await judged('auto', () => undefined)).toBe('confirmed');
  });
  it.each(kinds)('not confirmed, when the failure ended in another way (%s)', async (kind) => {
    expect(await judged('shadow', (world) => paint(world, 'green'), { kind })).toBe('by-itself');
  });
  it('not confirmed by the object’s end', async () => {
    expect(await judged('shadow', (world) => world.cluster.remove(widgetPath('a')))).toBe('by-itself');
  });
  it('wrong, when a person rejected it', async () => {
    expect(await judged('approve', (world) => world.say({ kind: 'reject', by, because: 'no' }))).toBe('wrong');
  });
  it('wrong, when it was undone', async () => {
    expect(await judged('auto', (world) => world.say({ kind: 'undo', by }), {}, HOUR)).toBe('wrong');
  });
  it('wrong, when it did not help', async () => {
    expect(await judged('auto', (world) => world.cluster.change(widgetPath('a'), { status: { broken: true } }), {}, 20_000)).toBe('wrong');
  });
  it('wrong, when somebody put it back', async () => {
    expect(await judged('auto', (world) => paint(world, 'red'), { limits: { stableFor: '9m' } }, 90_000)).toBe('wrong');
  });
  it('open, while nobody said anything', async () => {
    expect(await judged('shadow', () => undefined)).toBe('open');
  });
  it('open, when nobody answered', async () => {
    expect(await judged('approve', () => undefined)).toBe('open');
  });
  it('not counted, when it was gone before it could be confirmed', async () => {
    expect(await judged('shadow', (world) => paint(world, 'blue'), {}, 10_000)).toBeUndefined();
  });
});

describe('the record', () => {
  const incident = (judgement: string, namespace: string) => ({
    id: randomUUID(),
    remediation: 'a/b',
    object: { namespace },
    state: judgement === 'wrong' ? 'undone' : 'resolved',
    byHand: judgement === 'confirmed' || undefined,
    history: [{ state: 'shadowed' }],
  });
  const incidents = (shop: Record<string, number>, bank: Record<string, number> = {}) =>
    Object.entries({ shop, bank }).flatMap(([namespace, counts]) =>
      Object.entries(counts).flatMap(([judgement, n]) => Array.from({ length: n }, () => incident(judgement, namespace))),
    ) as never;

  it('is counted for each remediation and each namespace', () => {
    expect(recordsOf(incidents({ confirmed: 12, byItself: 1, wrong: 1 }, { confirmed: 2 }))).toMatchObject([
      { remediation: 'a/b', fired: 16, confirmed: 14, byItself: 1, wrong: 1, open: 0 },
      { namespace: 'bank', fired: 2, confirmed: 2 },
      {
        namespace: 'shop',
        fired: 14,
        confirmed: 12,
        precision: { value: 12 / 14, low: expect.closeTo(0.6, 2), high: expect.closeTo(0.96, 2) },
      },
    ]);
  });

  const retry = async (world: ToyWorld) => world.say({ kind: 'retry', hash: (await world.incident()).plan?.hash ?? '', by });
  const rerun = (world: ToyWorld) => world.say({ kind: 'rerun', by });
  const breakAgain = (world: ToyWorld) => paint(world, 'red');
  const reject = (world: ToyWorld) => world.say({ kind: 'reject', by, because: 'no' });

  it.each<[string, ((world: ToyWorld) => unknown)[], Record<string, number>]>([
    ['retries that were refused', [approve, retry, retry, retry], { fired: 1, confirmed: 1 }],
    ['a retry that was carried out', [approve, breakAgain, retry], { fired: 1, confirmed: 1 }],
    ['a rerun whose plan was approved', [approve, breakAgain, rerun, approve], { fired: 1, confirmed: 1 }],
    ['a retry of a plan nobody had answered', [retry], { fired: 1, confirmed: 1 }],
    ['a rerun whose plan was rejected', [approve, breakAgain, rerun, reject], { fired: 1, wrong: 1 }],
    ['a retry of what a person had rejected', [reject, retry], { fired: 1, wrong: 1 }],
    ['a retry of what a person had undone', [approve, (world) => world.say({ kind: 'undo', by }), retry], { fired: 1, wrong: 1 }],
  ])('counts a failure once, whatever followed: %s', async (_, lives, expected) => {
    const world = new ToyWorld({ limits: { perObject: { executions: 9, within: '24h' } } });
    await world.mode('approve');
    await world.fact();
    await world.run(60_000);
    if (lives[0] === retry) await world.run(HOUR);
    for (const happens of lives) {
      expect(await happens(world)).not.toBe(false);
      await world.run(120_000);
    }
    const { remediation } = await world.incident();
    const none = { confirmed: 0, byItself: 0, wrong: 0, open: 0 };
    expect(recordsOf(await world.state.list())[0]).toMatchObject({ remediation, ...none, ...expected });
  });

  it.each<[number, number, boolean]>([
    [0, 0, false],
    [1, 1, false],
    [11, 11, false],
    [12, 12, true],
    [19, 21, false],
    [20, 21, true],
    [26, 29, false],
    [27, 29, true],
  ])('of %i right in %i is enough for auto: %s', (right, all, enough) => {
    const found = againstAuto(recordsOf(incidents({ confirmed: right, wrong: all - right })), 'a/b');
    expect(found === undefined).toBe(enough);
  });

  it('of one namespace is not that of another', () => {
    const all = recordsOf(incidents({ confirmed: 30 }, { confirmed: 1 }));
    expect([againstAuto(all, 'a/b'), againstAuto(all, 'a/b', 'shop')]).toEqual([undefined, undefined]);
    expect(againstAuto(all, 'a/b', 'bank')).toMatch(
      /a\/b in bank: 1 of 1 plans were confirmed \(at least 20 % right\); auto is for at least 75 %/,
    );
    expect(againstAuto(all, 'a/b', 'new')).toMatch(/no plan was judged yet/);
  });

  // 81 of 263 is the example of Newcombe (Statistics in Medicine, 1998); its interval there is 0.2553 to 0.3662.
  it.each([
    [0, 10, 0, 0.2775],
    [5, 10, 0.2366, 0.7634],
    [10, 10, 0.7225, 1],
    [81, 263, 0.2553, 0.3662],
  ])('has the interval of Wilson: %i of %i', (right, all, low, high) => {
    const found = wilson(right, all);
    expect([found.low, found.high]).toEqual([expect.closeTo(low, 3), expect.closeTo(high, 3)]);
  });
});
