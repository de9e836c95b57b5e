import { expect, it } from '@jest/globals';
import { ToyWorld } from '../test/toy-world.ts';
import { answer } from './answer.ts';
import type { Word } from './input.ts';

const HOUR = 3_600_000;

/** A toy incident whose plan waits for approval. */
async function awaiting(): Promise<ToyWorld> {
  const world = new ToyWorld();
  await world.mode('approve');
  await world.fact();
  await world.run(40_000);
  expect((await world.incident()).state).toBe('awaiting-approval');
  return world;
}

async function say(world: ToyWorld, word: (world: ToyWorld, hash: string) => Word): Promise<boolean> {
  const { state, schedule, remediation, clock } = world;
  const { id, plan } = await world.incident();
  return (await answer({ state, schedule, remediations: [remediation], id, input: word(world, plan?.hash ?? ''), now: clock.now() })).taken;
}
const snooze =
  (ms: number, other?: string) =>
  ({ clock }: ToyWorld, hash: string): Word => ({ kind: 'snooze', hash: other ?? hash, by: 'Ada', until: clock.now() + ms });

it.each<[string, number, string | undefined]>([
  ['the plan is another one', HOUR, 'f'.repeat(64)],
  ['it is longer than a day', 25 * HOUR, undefined],
  ['it is over already', 0, undefined],
])('a snooze changes nothing when %s', async (_, ms, hash) => {
  const world = await awaiting();
  expect([await say(world, snooze(ms, hash)), (await world.incident()).state]).toEqual([false, 'awaiting-approval']);
});

it('only a plan that waits for approval can be put off', async () => {
  const world = await awaiting();
  await say(world, (_, hash) => ({ kind: 'approve', hash, by: 'Bob' }));
  expect(await say(world, snooze(HOUR))).toBe(false);
});

it('a plan that was put off cannot be approved: its time would be over', async () => {
  const world = await awaiting();
  await say(world, snooze(HOUR));
  expect(await say(world, (_, hash) => ({ kind: 'approve', hash, by: 'Bob' }))).toBe(false);
  await world.run(HOUR / 2);
  expect([(await world.incident()).state, world.cluster.writes]).toEqual(['waiting', []]);
});

it('facts wait until then, and a person who asks again does not', async () => {
  const world = await awaiting();
  await say(world, snooze(HOUR));
  await world.run(60_000);
  await world.fact();
  await world.run(60_000);
  expect((await world.incident()).state).toBe('waiting');
  expect(await say(world, () => ({ kind: 'rerun', by: 'Bob' }))).toBe(true);
  await world.run(40_000);
  expect((await world.incident()).state).toBe('awaiting-approval');
  // What was put off before does not silence what waits now.
  expect((await world.incident()).snoozedUntil).toBeUndefined();
});

it('a reject of another plan changes nothing', async () => {
  const world = await awaiting();
  expect(await say(world, () => ({ kind: 'reject', by: 'Ada', because: 'no', hash: 'f'.repeat(64) }))).toBe(false);
  expect(await say(world, (_, hash) => ({ kind: 'reject', by: 'Ada', because: 'no', hash }))).toBe(true);
});
