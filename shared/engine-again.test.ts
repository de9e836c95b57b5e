import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { START, ToyWorld } from '../test/toy-world.ts';
import type { Incident } from './incident.ts';
import type { Mode } from './input.ts';
import { report } from './verdict.ts';

const HOUR = 3_600_000;
const by = 'Ann';
const sent = (world: ToyWorld): string[] => world.cluster.requests.filter(({ method }) => method !== 'GET').map(({ method }) => method);
const paint = (world: ToyWorld, color: string) => world.cluster.change(widgetPath('a'), { spec: { color } });
const hashOf = (incident: Incident): string => incident.plan?.hash ?? '';

async function world(mode: Mode = 'approve', toy: Toy = {}): Promise<ToyWorld> {
  const made = new ToyWorld(toy);
  await made.mode(mode);
  await made.fact();
  await made.run(60_000);
  return made;
}

/** An incident that ended with a plan nobody carried out. */
async function rejected(): Promise<{ world: ToyWorld; ended: Incident }> {
  const made = await world();
  await made.say({ kind: 'reject', by, because: 'not now' });
  await made.run(1_000);
  return { world: made, ended: await made.incident() };
}

describe('rerun', () => {
  it.each<[string, Mode, string]>([
    ['a shadowed incident', 'shadow', 'shadowed'],
    ['one that waits for approval', 'approve', 'awaiting-approval'],
  ])('asks %s again, and the new plan takes the place of the old', async (_, mode, state) => {
    const toy = await world(mode);
    const before = await toy.incident();
    expect(before.state).toBe(state);
    toy.cluster.change(widgetPath('a'), { spec: { shade: 'dark' } });
    expect(await toy.say({ kind: 'rerun', by })).toBe(true);
    await toy.run(60_000);
    const after = await toy.incident();
    expect({ id: after.id, state: after.state, same: hashOf(after) === hashOf(before) }).toEqual({ id: before.id, state, same: false });
    expect(after.history).toContainEqual(expect.objectContaining({ because: 'Ann asked again', by }));
    expect(sent(toy)).toEqual([]);
  });

  it('asks a reported incident again: what was missing may be there now', async () => {
    const toy = await world('approve', { instead: ({ now }) => (now < START_LATER ? report('nobody is named') : undefined) });
    expect((await toy.incident()).state).toBe('reported');
    await toy.run(120_000);
    await toy.say({ kind: 'rerun', by });
    await toy.run(60_000);
    expect((await toy.incident()).state).toBe('awaiting-approval');
  });

  it('opens the next incident after one that ended, linked to it, and does not wait for its quiet to end', async () => {
    const { world: toy, ended } = await rejected();
    await toy.fact();
    expect((await toy.state.list()).length).toBe(1);
    expect(await toy.say({ kind: 'rerun', by })).toBe(true);
    await toy.run(60_000);
    const next = await toy.incident();
    expect(next).toMatchObject({ key: ended.key, ordinal: 2, after: ended.id, state: 'awaiting-approval' });
    expect((await toy.state.load(ended.id))?.state).toBe('refused');
    expect(sent(toy)).toEqual([]);
  });

  it('goes to the newest incident of the failure, whichever was named', async () => {
    const { world: toy, ended } = await rejected();
    await toy.say({ kind: 'rerun', by });
    await toy.run(60_000);
    expect(await toy.say({ kind: 'rerun', by }, ended.id)).toBe(true);
    await toy.run(60_000);
    expect((await toy.state.list()).map(({ ordinal }) => ordinal).sort()).toEqual([1, 2]);
  });

  it('takes up an expired incident itself, as an approval does', async () => {
    const toy = await world();
    await toy.run(16 * 60_000);
    const { id, state } = await toy.incident();
    expect(state).toBe('expired');
    await toy.say({ kind: 'rerun', by });
    await toy.run(60_000);
    expect(await toy.incident()).toMatchObject({ id, state: 'awaiting-approval' });
  });

  it('does not disturb what is being written or verified', async () => {
    const toy = await world('auto', { limits: { stableFor: '10m' } });
    expect((await toy.incident()).state).toBe('applied');
    expect(await toy.say({ kind: 'rerun', by })).toBe(false);
    await toy.run(HOUR);
    expect((await toy.incident()).state).toBe('verified');
  });

  it('makes nothing writable: in auto it is confirmed like any other', async () => {
    const toy = await world('auto');
    await toy.run(HOUR);
    paint(toy, 'red');
    await toy.say({ kind: 'rerun', by });
    expect(sent(toy).length).toBe(2);
    await toy.run(10_000);
    expect((await toy.incident()).state).toBe('planned');
    await toy.run(HOUR);
    expect(await toy.incident()).toMatchObject({ state: 'verified', ordinal: 2 });
  });
});

describe('retry', () => {
  it('carries the same plan out again, with no second confirmation, when it still holds', async () => {
    const { world: toy, ended } = await rejected();
    expect(await toy.say({ kind: 'retry', hash: hashOf(ended), by })).toBe(true);
    await toy.run(HOUR);
    const next = await toy.incident();
    expect(next).toMatchObject({ state: 'verified', ordinal: 2, after: ended.id, approval: { by } });
    expect(hashOf(next)).toBe(hashOf(ended));
    expect(toy.cluster.writes).toHaveLength(1);
  });

  it.each<[string, (toy: ToyWorld) => void, RegExp]>([
    [
      'another value decides now',
      (toy) => toy.cluster.change(widgetPath('a'), { spec: { shade: 'dark' } }),
      /shade was "plain", is "dark"/,
    ],
    [
      'another step is needed now',
      (toy) => toy.cluster.change(widgetPath('a'), { spec: { wish: 'green' } }),
      /it would now merge-patch widgets shop\/a/,
    ],
    ['nothing is wrong any more', (toy) => paint(toy, 'blue'), /the answer is now clear \(the widget is not red\)/],
    ['the object was deleted and created again', recreate, /the answer is now clear \(the widget is gone\)/],
    [
      'the object cannot be read',
      (toy) => {
        toy.cluster.intercept = () => ({ status: 500, message: 'away' });
      },
      /answered 500: away/,
    ],
    ['kubemend is paused', (toy) => void toy.state.set('paused', 'Bob'), /kubemend is paused/],
    ['the mode is shadow', (toy) => void toy.mode('shadow'), /the mode is shadow/],
    [
      'it moved directly before the write',
      (toy) => {
        toy.checkpoint = (point, effect) => {
          if (point === 'before' && effect.kind === 'write') toy.cluster.change(widgetPath('a'), { status: { beat: 1 } });
        };
      },
      /changed after it was read/,
    ],
  ])('refuses with the difference, and starts nothing over, when %s', async (_, move, says) => {
    const { world: toy, ended } = await rejected();
    move(toy);
    expect(await toy.say({ kind: 'retry', hash: hashOf(ended), by })).toBe(true);
    await toy.run(HOUR);
    const next = await toy.incident();
    expect(`${next.state}: ${next.because}`).toMatch(/^refused: nothing was written: /);
    expect(next.because).toMatch(says);
    expect(toy.told.at(-1)).toMatchObject({ state: 'refused', because: next.because });
    expect(toy.cluster.writes).toEqual([]);
  });

  it('that was refused keeps no fact out: the failure is found as before', async () => {
    const { world: toy, ended } = await rejected();
    toy.cluster.change(widgetPath('a'), { spec: { shade: 'dark' } });
    await toy.say({ kind: 'retry', hash: hashOf(ended), by });
    await toy.run(1_000);
    await toy.fact();
    await toy.run(60_000);
    expect(await toy.incident()).toMatchObject({ state: 'awaiting-approval', ordinal: 3 });
  });

  it.each<[string, (incident: Incident) => string]>([
    ['another hash', () => 'f'.repeat(64)],
    ['no hash', () => ''],
  ])('takes %s for no word at all', async (_, hash) => {
    const { world: toy, ended } = await rejected();
    expect(await toy.say({ kind: 'retry', hash: hash(ended), by })).toBe(false);
    expect((await toy.state.list()).length).toBe(1);
  });

  it('is not for an open incident: it has approve and rerun', async () => {
    const toy = await world();
    expect(await toy.say({ kind: 'retry', hash: hashOf(await toy.incident()), by })).toBe(false);
  });

  it('of two at once opens one incident', async () => {
    const { world: toy, ended } = await rejected();
    const taken = await Promise.all(['Ann', 'Bob'].map((who) => toy.say({ kind: 'retry', hash: hashOf(ended), by: who })));
    expect(taken.toSorted()).toEqual([false, true]);
    await toy.run(HOUR);
    expect(toy.cluster.writes).toHaveLength(1);
  });

  it('spends the budgets and stops at a breaker, like any other execution', async () => {
    const toy = await world('auto', { limits: { perObject: { executions: 1, within: '24h' } } });
    await toy.run(HOUR);
    paint(toy, 'red');
    await toy.say({ kind: 'retry', hash: hashOf(await toy.incident()), by });
    await toy.run(60_000);
    expect((await toy.incident()).because).toBe('nothing was written: the budget of this object is spent: 1 in 24h');
    expect(toy.cluster.writes).toHaveLength(1);
  });
});

const START_LATER = START + 90_000;

function recreate(toy: ToyWorld): void {
  toy.cluster.remove(widgetPath('a'));
  toy.cluster.create(widgetPath('a'), { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'red' } });
}
