import { difference } from './difference.ts';
import type { Draft } from './draft.ts';
import { milliseconds } from './duration.ts';
import { hasEnded, type Incident } from './incident.ts';
import type { Input } from './input.ts';
import { begin } from './open.ts';
import type { Limits } from './remediation.ts';

/** A person wants a new look. What is being written is not disturbed; what ended for good is followed by the next incident (`follow`). */
export function onRerun(next: Draft, by: string, now: number): Incident | undefined {
  const { state, effects } = next.incident;
  if (['executing', 'applied', 'undoing'].includes(state) || endedForGood(next.incident)) return undefined;
  next.leave({
    look: undefined,
    doubts: 0,
    changes: 0,
    snoozedUntil: undefined,
    ...(state === 'cleared' && { detectedAt: now, memory: undefined }),
  });
  next.to('detected', `${by} asked again`, { by });
  return effects.some(({ kind }) => kind === 'examine') ? next.done() : next.effect({ kind: 'examine', question: 'detect' }).done();
}

/** Nothing was written and nobody said no to `cleared` and `expired`: a fact, an approval or a rerun takes them up again. */
const endedForGood = ({ state }: Incident): boolean => hasEnded(state) && state !== 'cleared' && state !== 'expired';

/** A retry is carried out as it is or not at all: what would make another incident start over ends this one. Undefined: nothing stands against it. */
export function refusedRetry(next: Draft, input: Input): Incident | undefined {
  const { retry, state, execution, plan } = next.incident;
  if (!retry || !plan || state !== 'executing' || (execution && execution.written.length > 0)) return undefined;
  const refuse = (because: string, open?: true) => next.leave().to('refused', `nothing was written: ${because}`, { open }).done();
  switch (input.kind) {
    case 'examined':
      next.note(input.question, input.verdict.because, { verdict: input.verdict, reads: input.reads });
      return refuse(
        `plan ${plan.hash.slice(0, 8)} holds no more: ${difference(plan, input)}. For a new plan, run: kubemend rerun ${next.incident.id}`,
      );
    case 'withheld':
      return refuse(input.because, input.open);
    case 'conflict':
    case 'doubt':
      return refuse(input.because);
    default:
      return undefined;
  }
}

/** The next incident of the same failure, opened by a person after this one ended; undefined where this one can go on, or has no plan to retry. */
export function follow(ended: Incident, input: Input, { expireAfter }: Limits, now: number): Incident | undefined {
  if (input.kind === 'rerun' && endedForGood(ended)) return nextOf(ended, input.by, now);
  const { plan, memory } = ended;
  if (input.kind !== 'retry' || !hasEnded(ended.state) || plan?.hash !== input.hash) return undefined;
  const { by, hash } = input;
  const incident = nextOf(ended, by, now, `${by} wants plan ${hash.slice(0, 8)} again, as it is`);
  return {
    ...incident,
    state: 'executing',
    retry: true,
    plan: { ...plan, madeAt: now, expiresAt: now + milliseconds(expireAfter) },
    approval: { hash, by, at: now },
    ...(memory !== undefined && { memory }),
    history: [{ at: now, state: 'executing', because: incident.because, by, planHash: hash }],
    effects: [
      { id: '1.0', kind: 'tell', state: 'executing', because: incident.because, at: now },
      { id: '1.1', kind: 'prepare' },
    ],
  };
}

function nextOf(
  ended: Incident,
  by: string,
  now: number,
  because = `${by} asked again, after incident ${ended.id} (${ended.state})`,
): Incident {
  const { key, cluster, remediation, object, fact } = ended;
  const incident = begin({ key, ordinal: ended.ordinal + 1, cluster, remediation, object, fact }, because, now);
  return { ...incident, after: ended.id, history: [{ at: now, state: 'detected', because, by }] };
}
