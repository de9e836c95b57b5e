import { parseArgs } from 'node:util';
import { liveMany } from './many.ts';

/** `npm run fuzz -- --lifetimes 5000 --seed 1`: as many random lives as are wanted; exit code 1 and a trace of each life that broke a promise. */
const { values } = parseArgs({ options: { lifetimes: { type: 'string', default: '5000' }, seed: { type: 'string', default: '1' } } });
const [count, seed] = [Number(values.lifetimes), Number(values.seed)];
if (!Number.isInteger(count) || !Number.isInteger(seed) || count < 1)
  throw new Error('--lifetimes and --seed must be integers, --lifetimes positive');
const { broken, ...counts } = await liveMany({
  count,
  seed,
  progress: ({ lives }) => void (lives % 500 === 0 && console.error(`${lives} of ${count} lives`)),
});
for (const text of broken.slice(0, 3)) console.error(`${text}\n`);
console.log(JSON.stringify(counts));
process.exitCode = broken.length > 0 ? 1 : 0;
