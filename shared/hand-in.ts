import type { ObjectReference } from '../events/fact.ts';
import { advance } from './advance.ts';
import { effectiveMode } from './guards.ts';
import { absorbs, type Incident } from './incident.ts';
import { keyOf, open } from './open.ts';
import type { Fact, Remediation } from './remediation.ts';
import type { State } from './state/state.ts';

/** A store that answers nonsense must not keep a process busy for ever. */
const TRIES = 25;

interface HandIn {
  state: State;
  remediation: Remediation;
  fact: Fact;
  now: number;
}

/** Which object a fact is about, for a remediation; undefined: none of its business. */
export const subjectOf = ({ subject }: Remediation, fact: Fact): ObjectReference | undefined => (subject ? subject(fact) : fact.object);

/** Records a fact: in the open incident of its object, or as the first sign of a new one. The work that follows from it is in the answer's outbox. */
export async function handIn({ state, remediation, fact, now }: HandIn): Promise<Incident | undefined> {
  const object = subjectOf(remediation, fact);
  if (!object) return undefined;
  const { name, limits, when } = remediation;
  const key = keyOf(fact.cluster, object, name);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const known = await state.latest(key);
    if (known && absorbs(known, now)) {
      const next = advance(known, { kind: 'fact', fact }, { now, limits, when, mode: await effectiveMode(state, known, known.plan) });
      if (!next) return known;
      if (await state.save(next, known.revision)) return next;
      continue;
    }
    // A late copy of a fact that an ended incident already counted opens nothing.
    if (known?.factIds.includes(fact.id)) return undefined;
    const incident = open(fact, object, name, (known?.ordinal ?? 0) + 1, now);
    if (await state.save(incident, 0)) return incident;
  }
  throw new Error(`The incident of ${key} was changed by somebody else ${TRIES} times in a row: the fact is not recorded`);
}
