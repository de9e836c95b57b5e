import { describe, expect, it } from '@jest/globals';
import { request, seen, T0 } from '../testdata/records.ts';
import { deliveredLive } from './arrival.ts';
import type { Counted } from './counted.ts';
import { atLeast, counted, counts, reducer } from './testdata/reducing.ts';

const HOUR = 3_600;
const rule = counted({ writes: atLeast(30), window: { seconds: [60] } });
type Subject = ReturnType<typeof reducer>;

/** One write of each second, seen by both sources, from one second on; gives the facts. */
function storm(subject: Subject, from: number, seconds: number) {
  return Array.from({ length: seconds }, (_, n) => from + n).flatMap((second) => [
    ...subject.tick(T0 + second * 1_000),
    ...subject.audit(request(second), deliveredLive(T0 + second * 1_000)),
    ...subject.watch(seen(second)),
  ]);
}

describe("after the receiver's clock was an hour ahead and was put right", () => {
  it('a storm is found, what was forgotten is counted as lost, and the windows of that moment have a gap', () => {
    const subject = reducer([rule]);
    storm(subject, HOUR, 1);
    const facts = counts(storm(subject, 0, 1_800));
    expect(facts.length).toBeGreaterThan(30);
    expect(facts[0]?.coverage).toMatchObject({ gap: true, dropped: 2 });
    expect(facts.at(-1)?.coverage.gap).toBe(false);
    expect(subject.stats()).toMatchObject({ forgotten: 2, dropped: 2 });
  });

  it('a storm that was reported at the wrong time is reported again', () => {
    const subject = reducer([rule]);
    expect(storm(subject, HOUR, 60)).not.toEqual([]);
    expect(storm(subject, 0, 60)).not.toEqual([]);
  });

  it('requests without a watch event are called no-ops again', () => {
    const subject = reducer([counted({ noops: atLeast(30), window: { seconds: [60] } })]);
    storm(subject, HOUR, 1);
    subject.tick(T0);
    const from = 200;
    const facts = Array.from({ length: 60 }, (_, n) => from + n).flatMap((second) => [
      ...subject.audit(request(second), deliveredLive(T0 + second * 1_000)),
      ...subject.tick(T0 + second * 1_000),
    ]);
    expect(facts).not.toEqual([]);
  });

  it('a process that starts with the records of the wrong time finds a storm, too', async () => {
    const noted: Counted[] = [];
    storm(reducer([rule], { onCounted: (one) => noted.push(one) }), HOUR, 1);
    const subject = reducer([rule]);
    await subject.restore(
      (async function* () {
        for (const one of noted) yield { counted: one };
      })(),
      T0,
    );
    expect(counts(storm(subject, 0, 120))[0]?.coverage.gap).toBe(true);
  });

  it('a request of a log that is 60 s ahead does not count as a clock that was set back', () => {
    const subject = reducer([rule]);
    subject.tick(T0);
    subject.audit(request(60));
    subject.tick(T0 + 1_000);
    expect(subject.stats()).toMatchObject({ forgotten: 0, dropped: 0 });
  });
});
