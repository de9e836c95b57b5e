import { describe, expect, it } from '@jest/globals';
import { tally } from './tally.ts';
import { type Entry, Timeline } from './timeline.ts';

const put = (at: number, more = {}): Entry => ({
  ...{ at, count: 1, source: 'audit', effect: 'success', code: 200, verb: 'update', skewed: false },
  ...{ writer: { user: 'a', userAgent: 'x' }, writerKey: 'a' },
  ...more,
});
const event = (at: number, effect: 'change' | 'phantom' = 'change'): Entry => ({
  ...{ at, count: 1, source: 'watch', effect, added: false, deleted: false, generationMoved: false },
});
const seenByBoth = { audit: true, watched: () => true };

/** Counts of 60 s ending at `end` over these entries, in this order of arrival. */
function count(entries: Entry[], end: number, seconds = 60, cap = 4_096) {
  const timeline = new Timeline(seconds * 1_000, cap);
  for (const entry of entries) timeline.add({ ...entry });
  return { ...tally(timeline, end, seconds, seenByBoth), size: timeline.size };
}

/** Every order in which the entries may arrive, for up to five of them. */
function orders<T>(items: T[]): T[][] {
  return items.length === 0 ? [[]] : items.flatMap((one, i) => orders(items.toSpliced(i, 1)).map((rest) => [one, ...rest]));
}

describe('a window of counted writes', () => {
  it('holds what is younger than its length, to the millisecond', () => {
    const entries = [put(0), put(1), put(60_000)];
    expect(count(entries, 60_000).writes).toBe(2);
    expect(count(entries, 59_999).writes).toBe(2);
    expect(count(entries, 60_001).writes).toBe(1);
  });

  it('calls a request a no-op 2 s after it, when no watch event came', () => {
    expect(count([put(0)], 1_999).noops).toBe(0);
    expect(count([put(0)], 2_000)).toMatchObject({ noops: 1, recent: [{ effect: 'noop' }] });
    expect(count([put(0), event(1_990)], 2_000)).toMatchObject({ noops: 0, changes: 1, recent: [{ effect: 'change' }] });
  });

  it('pairs the same, in whatever order requests and events arrive', () => {
    // The greedy first match (3000 with 2000) would leave 0 and 4500 alone.
    const entries = [put(0), put(3_000), event(2_000), event(4_500), put(4_600)];
    const expected = count(entries, 20_000);
    expect(expected).toMatchObject({ writes: 3, changes: 2, noops: 1 });
    for (const order of orders(entries)) expect(count(order, 20_000)).toEqual(expected);
  });

  it('invents no no-ops when the two clocks are 10 s apart', () => {
    const entries = Array.from({ length: 8 }, (_, i) => [put(i * 30_000), event(i * 30_000 + 10_000)]).flat();
    expect(count(entries, 300_000, 600)).toMatchObject({ writes: 8, changes: 8, noops: 0 });
  });

  it('keeps a pair together when its first half leaves the window', () => {
    const entries = [put(0), event(100), put(200), event(300), put(59_000), event(59_100)];
    expect(count(entries, 60_150)).toMatchObject({ writes: 2, changes: 2, noops: 0 });
    expect(count(entries, 60_250)).toMatchObject({ writes: 1, changes: 2, noops: 0 });
  });

  it('stays exact in counts above the cap, with bounded memory', () => {
    const entries = Array.from({ length: 20_000 }, (_, i) => [
      put(i * 25, { code: i % 10 ? 200 : 409, effect: i % 10 ? 'success' : 'error' }),
    ]).flat();
    const counted = count(entries, 500_000, 600, 1_000);
    expect(counted).toMatchObject({ writes: 20_000, errors: 2_000, codes: { 200: 18_000, 409: 2_000 } });
    expect(counted.size).toBeLessThanOrEqual(1_000);
    // 79 of 80 requests a second after the second one are older than 2 s.
    expect(counted.noops).toBe(18_000 - 72);
  });

  it('never has more entries than its cap, whatever varies; what it forgets is counted', () => {
    const timeline = new Timeline(3_600_000, 500);
    for (let i = 0; i < 20_000; i++) timeline.add(put(i * 100, { code: 200 + (i % 90), verb: `verb-${i % 4}`, writerKey: `w${i % 60}` }));
    expect(timeline.size).toBeLessThanOrEqual(500);
    expect(timeline.forgotten).toBeGreaterThan(0);
    expect(timeline.count + timeline.forgotten).toBe(20_000);
  });

  it('is off by no more than one merged second at the far edge above the cap', () => {
    const entries = Array.from({ length: 3_600 }, (_, i) => put(i * 50));
    expect(Math.abs(count(entries, 179_950, 60, 1_000).writes - 1_200)).toBeLessThanOrEqual(20);
  });

  it('shows the newest 32 writes, oldest first', () => {
    const { recent } = count(
      Array.from({ length: 50 }, (_, i) => event(i * 1_000, i % 2 ? 'phantom' : 'change')),
      49_000,
    );
    expect(recent).toHaveLength(32);
    expect(recent.at(-1)).toEqual({ at: new Date(49_000).toISOString(), effect: 'phantom' });
    expect(recent[0]).toEqual({ at: new Date(18_000).toISOString(), effect: 'change' });
  });

  it('folds writers beyond 64 into one', () => {
    const entries = Array.from({ length: 100 }, (_, i) => put(i, { writerKey: `w${i}`, writer: { user: `u${i}`, userAgent: '' } }));
    const { actors, writes } = count(entries, 100);
    expect(writes).toBe(100);
    expect(actors).toHaveLength(32);
    expect(actors[0]).toMatchObject({ user: '(others)', writes: 36 });
  });

  it('names a new writer once the entries of earlier writers are gone, also when it never was empty', () => {
    const timeline = new Timeline(60_000, 4_096);
    for (let i = 0; i < 300; i++) timeline.add(put(i * 10_000, { writerKey: `w${i}`, writer: { user: `u${i}`, userAgent: '' } }));
    const { actors } = tally(timeline, 2_990_000, 60, seenByBoth);
    expect(actors.map(({ user }) => user).sort()).toEqual(['u294', 'u295', 'u296', 'u297', 'u298', 'u299']);
  });

  it('names at most 64 writers at a time, also after entries were merged', () => {
    const timeline = new Timeline(60_000, 200);
    for (let i = 0; i < 2_000; i++) timeline.add(put(i * 100, { writerKey: `w${i}`, writer: { user: `u${i}`, userAgent: '' } }));
    const writers = timeline.between(0, 200_000).map((entry) => (entry.source === 'audit' ? entry.writerKey : ''));
    expect(new Set(writers).size).toBeLessThanOrEqual(65);
  });

  it('forgets what a clock that ran ahead dated, says how many writes that were, and goes on counting', () => {
    const timeline = new Timeline(60_000, 100);
    for (const at of [0, 3_600_000, 3_601_000]) timeline.add(put(at));
    expect(timeline.forgetAfter(10_000)).toBe(2);
    expect(timeline.add(put(10_000))).toBe(true);
    expect(timeline.count).toBe(1);
  });

  it('takes back a deletion that turns out to be ours', () => {
    const timeline = new Timeline(60_000, 100);
    timeline.add({ ...event(0), deleted: true } as Entry);
    timeline.removeDeletion(2_001);
    expect(timeline.size).toBe(1);
    timeline.removeDeletion(1_999);
    expect(timeline.size).toBe(0);
  });
});
