import { matches, type Pattern } from '../events/pattern.ts';
import { WRITES_COUNTED, type WritesCounted } from '../events/writes-counted.ts';
import type { Fact } from './remediation.ts';

/** Whether this fact is a reason to look again after a fix that had settled at `since`. */
export const asksAgain = (fact: Fact, when: Pattern[], since: number): boolean =>
  'window' in fact ? recurs(fact, when, since) : Date.parse(fact.observedAt) > since;

/**
 * Asks the detecting rule again about what happened after `since` only: a window reaches back to before the fix.
 * One object that changed is no symptom in itself (a cured operation still makes progress): whether it is the failure again, `examine` says.
 */
export function recurs(fact: Fact, when: Pattern[], since: number): boolean {
  if (!('window' in fact)) return false;
  const after = recount(fact, since);
  return (
    after.recent.length > 0 &&
    when.some((pattern) => matches(pattern, { source: 'kubernetes', 'detail-type': WRITES_COUNTED, detail: after }))
  );
}

/** The fact as if its window began at `since`, counted from its newest writes. */
function recount(fact: WritesCounted, since: number): WritesCounted {
  const recent = fact.recent.filter(({ at }) => Date.parse(at) > since);
  const count = (effect: string): number => recent.filter((write) => write.effect === effect).length;
  return {
    ...fact,
    recent,
    // An error stored nothing, as far as anybody knows.
    writes: recent.length - count('error'),
    changes: count('change'),
    noops: count('noop'),
    phantoms: count('phantom'),
    errors: count('error'),
  };
}
