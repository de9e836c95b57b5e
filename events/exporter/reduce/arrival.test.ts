import { describe, expect, it } from '@jest/globals';
import { request, seen, T0 } from '../testdata/records.ts';
import { deliveredLive, placed, readFromLog } from './arrival.ts';
import { atLeast, counted, counts, reducer } from './testdata/reducing.ts';

const rules = [counted({ writes: atLeast(3), window: { seconds: [600] } })];
const live = (seconds: number) => deliveredLive(T0 + seconds * 1_000);
const YEAR_2099 = (Date.UTC(2099, 0, 1) - T0) / 1_000;

describe('the time of an audit record', () => {
  it.each([
    [2, false],
    [2.001, true],
    [-300, false],
    [-300.001, true],
    [YEAR_2099, true],
    [-1_000_000_000, true],
  ])('%d s off the clock of the receiver of a live source: out of range is %s', (seconds, isOut) => {
    const record = request(seconds);
    expect(placed(record, live(0))).toEqual(isOut ? { ...record, at: T0, skewed: true } : record);
  });

  it('may be old where a source reads on from a checkpoint', () => {
    const record = request(-100_000);
    expect(placed(record, readFromLog(T0))).toBe(record);
    expect(placed(request(60), readFromLog(T0)).skewed).toBeUndefined();
    expect(placed(request(60.001), readFromLog(T0))).toMatchObject({ at: T0, skewed: true });
  });
});

/** The facts of a storm of one write every 10 s for 20 minutes, with a forged event after the first second. */
function stormWith(forged: number | undefined, arrivals: boolean) {
  const subject = reducer(rules);
  const facts = [];
  for (let second = 0; second <= 1_200; second++) {
    const arrival = arrivals ? live(second) : undefined;
    if (second === 1 && forged !== undefined) facts.push(...subject.audit(request(forged), arrival));
    if (second % 10 === 0) facts.push(...subject.audit(request(second), arrival));
    facts.push(...subject.tick(T0 + second * 1_000 + 500));
  }
  return { facts: counts(facts), stats: subject.stats() };
}

describe('one audit event with a forged time', () => {
  it.each([
    ['ten minutes ahead', 600, true],
    ['an hour ahead', 3_600, true],
    ['of 2099', YEAR_2099, true],
    ['of 1995', -1_000_000_000, true],
    ['ten minutes ahead, whose arrival nobody tells', 600, false],
    ['of 2099, whose arrival nobody tells', YEAR_2099, false],
  ])('%s is counted when it arrived, reported, and changes nothing else', (_, forged, arrivals) => {
    const plain = stormWith(1, arrivals);
    const { facts, stats } = stormWith(forged, arrivals);
    const without = ({ coverage, ...fact }: (typeof facts)[number]) => ({
      ...fact,
      recent: fact.recent.length,
      coverage: coverage.dropped,
    });
    expect(facts.map(without)).toEqual(plain.facts.map(without));
    expect(stats.skewed).toBe(1);
    expect(plain.stats.skewed).toBe(0);
    expect(facts[0]?.coverage.skewed).toBe(1);
    expect(facts.at(-1)?.coverage).not.toHaveProperty('skewed');
  });

  it('is never called a no-op: its true moment is not known', () => {
    const subject = reducer([counted({ writes: atLeast(4), window: { seconds: [600] } })]);
    subject.watch(seen(0, { name: 'settings' }, { type: 'ADDED', fromList: true }));
    for (const second of [1, 2, 3]) subject.audit(request(YEAR_2099 + second), live(second));
    expect(counts(subject.audit(request(10), live(10)))[0]).toMatchObject({ writes: 4, noops: 0, coverage: { skewed: 3 } });
  });
});
