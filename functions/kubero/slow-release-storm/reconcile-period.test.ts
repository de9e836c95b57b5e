import { describe, expect, it } from '@jest/globals';
import { goDuration, graceOf } from './reconcile-period.ts';

describe('a reconcile period', () => {
  it.each([
    ['6s', 6_000],
    ['3m', 180_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['+1m', 60_000],
    ['250ms', 250],
    ['2m500ms', 120_500],
    ['1000us', 1],
    ['1000µs', 1],
    ['1day', undefined],
    ['1d', undefined],
    ['60', undefined],
    ['', undefined],
    ['s', undefined],
    ['1 h', undefined],
    ['0', undefined],
    ['0s', undefined],
    ['-5m', undefined],
  ])('of "%s" lasts %s ms', (text, ms) => {
    expect(goDuration(text)).toBe(ms);
  });

  it('leaves room for a busy machine', () => {
    expect(graceOf(180_000)).toBe(230_000);
  });
});
