import type { ObjectChanged } from '../events/object-changed.ts';
import type { Actor, WritesCounted } from '../events/writes-counted.ts';
import { Doubt } from '../shared/cluster.ts';
import { asHints } from '../shared/hint.ts';
import { makePlan } from '../shared/plan.ts';
import { complete, type Definition, type Examination, type Fact, type Remediation } from '../shared/remediation.ts';
import type { Verdict } from '../shared/verdict.ts';

const HOUR = 3_600_000;
const sources: ('watch' | 'audit')[] = ['watch', 'audit'];

/** A fact of the same object that says nothing else. */
export function neutral({ id, cluster, object, observedAt }: Fact): ObjectChanged {
  const coverage = { sources: sources.slice(0, 1), gap: true, dropped: 0 };
  return { ...{ id, cluster, object, observedAt, coverage }, ...{ change: 'modified', changed: [], phantom: false } };
}

/** Writers that nobody authenticated as what they claim to be. */
const actors = (real: Actor[]): Actor[] => [
  ...real.map((actor) => ({ ...actor, userAgent: raised(actor.userAgent), pod: 'forged', writes: 9_999 })),
  { user: 'system:serviceaccount:evil:evil', userAgent: 'strimzi-cluster-operator/0.44.0', verbs: ['update'], writes: 9_999 },
];

/** The same text or object with every number in it raised by one: other versions, other generations, later times. */
const raised = <T>(value: T): T =>
  JSON.parse(
    JSON.stringify(value, (_, inner) => (typeof inner === 'number' ? inner + 1 : inner)).replace(
      /\d+(?=[^\d])/g,
      (digits) => `${Number(digits) + 1}`,
    ),
  ) as T;

function counted(fact: Fact, change: Partial<WritesCounted>): WritesCounted {
  const at = Date.parse(fact.observedAt);
  const iso = (ms: number) => new Date(at + ms).toISOString();
  return {
    ...neutral(fact),
    coverage: { sources, gap: false, dropped: 0 },
    window: { seconds: 600, start: iso(-600_000), end: iso(0) },
    ...{ writes: 99_999, changes: 33_333, noops: 33_333, phantoms: 33_333, errors: 0, codes: { 200: 99_999 }, shape: 'churn' as const },
    actors: actors('actors' in fact ? fact.actors : []),
    recent: [{ at: iso(0), effect: 'phantom' as const }],
    ...change,
  };
}

function changed(fact: Fact, change: Partial<ObjectChanged>): ObjectChanged {
  const { current, previous } = fact as Partial<ObjectChanged>;
  const told = { changed: ['/spec', '/status', '/metadata'], ...(current && { current }), ...(previous && { previous }) };
  return { ...neutral(fact), coverage: { sources, gap: false, dropped: 0 }, ...told, ...change };
}

const moved = (fact: Fact, ms: number): string => new Date(Date.parse(fact.observedAt) + ms).toISOString();

/** What someone who may publish facts could say about an object instead. Only the reference to the object stays. */
export const FORGERIES: Record<string, (fact: Fact) => Fact> = {
  'the real fact': (fact) => fact,
  'an hour earlier': (fact) => ({ ...fact, observedAt: moved(fact, -HOUR) }),
  'an hour later': (fact) => ({ ...fact, observedAt: moved(fact, HOUR) }),
  'complete coverage': (fact) => ({ ...fact, coverage: { sources, gap: false, dropped: 0 } }),
  'other states of the object': (fact) => {
    const { current = { metadata: { name: 'x1' } }, previous = {} } = fact as Partial<ObjectChanged>;
    return changed(fact, { current: raised(current), previous: raised(previous) });
  },
  'the states exchanged': (fact) => {
    const { current = {}, previous = {} } = fact as Partial<ObjectChanged>;
    return changed(fact, { current: previous, previous: current, change: 'added' });
  },
  'a deletion, an hour ago': (fact) => changed(fact, { change: 'deleted', observedAt: moved(fact, -HOUR), phantom: true }),
  'a storm by other writers': (fact) => counted(fact, {}),
  'a storm by nobody, an hour ago': (fact) => counted(fact, { actors: [], observedAt: moved(fact, -HOUR) }),
  'a storm that only one writer of another version makes': (fact) => counted(fact, { actors: actors([]) }),
};

/** A plan that a forged fact led to and a neutral one did not, or why the forgery was not judged. */
export interface Breach {
  remediation: string;
  forgery: string;
  because: string;
}

/** What the examinations of one remediation came to. */
export interface Watched {
  definition: Remediation;
  /** Hashes of the plans with neutral facts. */
  plans: Set<string>;
  breaches: Breach[];
}

/**
 * A remediation that gets neutral facts only. At each of its examinations every forgery is asked the same, in an incident of its own:
 * with the memory that its own answers left and the time since it was last clear: it must come to the neutral plan or to none.
 */
export function watched(definition: Remediation): Watched {
  const result: Watched = { definition, plans: new Set(), breaches: [] };
  const lives = new Map<string, Pick<Examination['incident'], 'memory' | 'detectedAt'>>();
  const hintsFrom = (fact: Fact) => asHints(definition.hints?.(fact) ?? {});
  const examine = async (examination: Examination<{ fact: Fact }>): Promise<Verdict> => {
    const fact = examination.hints.fact.claimed();
    const { object } = examination.incident;
    const verdict = await definition.examine({ ...examination, hints: hintsFrom(neutral(fact)) });
    const plan = hashOf(verdict);
    if (plan) result.plans.add(plan);
    for (const [forgery, forge] of Object.entries(FORGERIES)) {
      const key = `${forgery} ${object.namespace}/${object.name}`;
      const incident = { ...examination.incident, memory: undefined, ...lives.get(key) };
      const forged = await definition.examine({ ...examination, incident, hints: hintsFrom(forge(fact)) }).catch((error: unknown) => {
        if (error instanceof Doubt) return undefined;
        throw error;
      });
      if (!forged) continue;
      // An incident that is cleared forgets; every other answer keeps what was remembered.
      if (forged.kind === 'clear') lives.delete(key);
      else lives.set(key, { detectedAt: incident.detectedAt, memory: (forged.kind === 'wait' && forged.remember) || incident.memory });
      const hash = hashOf(forged);
      if (hash !== undefined && hash !== plan)
        result.breaches.push({
          remediation: definition.name,
          forgery,
          because: `${forged.because}; without it: ${verdict.kind}, ${verdict.because}`,
        });
    }
    return verdict;
  };
  result.definition = { ...definition, hints: (fact: Fact) => ({ fact }), examine } as Remediation;
  return result;
}

/** The plan that a verdict makes, by its hash. Throws on a fix that nothing live proves. */
const hashOf = (verdict: Verdict): string | undefined => (verdict.kind === 'fix' ? makePlan(verdict, 'subject', 0, '15m').hash : undefined);

/** The same for a definition without its name. */
export const watchedDefinition = (name: string, definition: Definition): Watched => watched(complete(name, definition));
