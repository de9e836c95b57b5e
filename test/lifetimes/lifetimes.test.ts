import { expect, it } from '@jest/globals';
import { liveMany } from './many.ts';

const COUNT = Number(process.env.KUBEMEND_LIFETIMES ?? 500);
const SEED = Number(process.env.KUBEMEND_SEED ?? 1);

it(`In ${COUNT} random lives with crashes, hung writes, lost timers and wrong clocks no write is double, wrong or lost, and no incident is stuck`, async () => {
  const { writes, hung, broken } = await liveMany({ count: COUNT, seed: SEED });
  expect(broken).toEqual([]);
  // Lives in which nothing is written and nothing hangs would prove nothing.
  expect(writes).toBeGreaterThan(COUNT / 2);
  expect(hung).toBeGreaterThan(COUNT / 10);
}, 3_600_000);
