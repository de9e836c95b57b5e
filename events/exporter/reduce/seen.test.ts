import { expect, it } from '@jest/globals';
import { Seen } from './seen.ts';

it('knows a repeat among at least as many as its limit, and forgets what is twice as old', () => {
  const seen = new Seen(1_000);
  const strings = Array.from({ length: 10_000 }, (_, i) => `apps/deployments ${i}`);
  for (const [i, string] of strings.entries()) {
    expect(seen.has(string)).toBe(false);
    expect(seen.add(string)).toBe(true);
    const known = strings[Math.max(0, i - 999)] as string;
    expect([seen.add(string), seen.add(known), seen.has(known)]).toEqual([false, false, true]);
    if (i >= 2_000) expect(seen.has(strings[i - 2_000] as string)).toBe(false);
  }
});
