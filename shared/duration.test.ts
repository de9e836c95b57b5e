import { describe, expect, it } from '@jest/globals';
import { type Duration, forPeople, milliseconds } from './duration.ts';

describe('milliseconds', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['2d', 172_800_000],
    ['0s', 0],
  ] as const)('of %s are %d', (duration, ms) => {
    expect(milliseconds(duration)).toBe(ms);
  });

  it.each(['', '5', 's', '-5s', '5 s', '5S', '1h30m', '1e3s', '5sec', ' 5s', '.5s', 'Infinitys'])(
    'of "%s" are an error that says what to write',
    (duration) => {
      expect(() => milliseconds(duration as Duration)).toThrow(`"${duration}" is no duration: write 5s, 15m, 24h or 2d`);
    },
  );
});

describe('for people', () => {
  it.each([
    [0, '0 s'],
    [1_234, '1.2 s'],
    [9_960, '10 s'],
    [45_000, '45 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_199_000, '120 min'],
    [10_800_000, '3 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(forPeople(ms)).toBe(text);
  });
});
