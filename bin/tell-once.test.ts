import { expect, it } from '@jest/globals';
import { tellOnce } from './tell-once.ts';

it('A line is told again only after a while; another one at once', () => {
  let now = 0;
  const told: string[] = [];
  const tell = tellOnce(
    (line) => told.push(`${now} ${line}`),
    60,
    () => now,
  );
  for (now = 0; now < 100; now += 10) for (const line of now < 50 ? ['a'] : ['a', 'b']) tell(line);
  expect(told).toEqual(['0 a', '50 b', '60 a']);
});
