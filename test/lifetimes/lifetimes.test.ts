import { expect, it } from '@jest/globals';
import { liveMany } from './many.ts';
import { examineLife } from './verdicts.ts';

const COUNT = Number(process.env.KUBEMEND_LIFETIMES ?? 500);
const SEED = Number(process.env.KUBEMEND_SEED ?? 1);

it(`In ${COUNT} random lives with crashes, hung writes, lost timers and wrong clocks no write is double, wrong or lost, and no incident is stuck`, async () => {
  const { writes, hung, broken } = await liveMany({ count: COUNT, seed: SEED });
  expect(broken).toEqual([]);
  // Lives in which nothing is written and nothing hangs would prove nothing.
  expect(writes).toBeGreaterThan(COUNT / 2);
  expect(hung).toBeGreaterThan(COUNT / 10);
}, 3_600_000);

/** What each of these lives once broke. */
const BROKE: [number, string][] = [
  [572, 'a second undo dropped the record of one that had stopped between two steps'],
  [840, 'the write of the next incident was taken for the lost one of this incident, and undone'],
  [872, 'an undo that was refused left its incident in "detected" for good'],
  [4598, 'a write that was stored and answered 409 was not recorded, because the object could not be read just then'],
];
it.each(BROKE)('Life %i keeps its promises (%s)', async (seed) => {
  expect((await examineLife(seed)).broken).toEqual([]);
});
