import { matches, type Pattern } from '../events/pattern.ts';
import { WRITES_COUNTED, type WritesCounted } from '../events/writes-counted.ts';
import type { Fact } from './remediation.ts';

/** Asks the detecting rule again about what happened after `since` only: a window reaches back to before the fix. */
export function recurs(fact: Fact, when: Pattern[], since: number): boolean {
  if (!('window' in fact)) return Date.parse(fact.observedAt) > since;
  const after = recount(fact, since);
  return (
    after.writes > 0 && when.some((pattern) => matches(pattern, { source: 'kubernetes', 'detail-type': WRITES_COUNTED, detail: after }))
  );
}

/** The fact as if its window began at `since`, counted from its newest writes. */
function recount(fact: WritesCounted, since: number): WritesCounted {
  const recent = fact.recent.filter(({ at }) => Date.parse(at) > since);
  const count = (effect: string): number => recent.filter((write) => write.effect === effect).length;
  return {
    ...fact,
    recent,
    writes: recent.length,
    changes: count('change'),
    noops: count('noop'),
    phantoms: count('phantom'),
    errors: count('error'),
  };
}
