import type { Draft } from './draft.ts';
import { milliseconds } from './duration.ts';
import type { Incident, Written } from './incident.ts';
import type { Context } from './input.ts';

/** A step of the fix is written: the next one follows, or the verification. */
export function onWritten(next: Draft, written: Written, context: Context): Incident {
  const { execution } = next.incident;
  if (!execution) throw new Error(`Incident ${next.incident.id} has a write without an execution`);
  const all = [...execution.written, written];
  next.set({ execution: { ...execution, written: all } });
  if (all.length < execution.steps.length) return next.effect({ kind: 'write', step: all.length }).done();
  return verify(next, `${all.length === 1 ? 'the step is' : `${all.length} steps are`} written`, context);
}

/** The whole plan is written: from now on the fourth question is asked. */
export function verify(next: Draft, because: string, { now, limits }: Context): Incident {
  const settledAt = now + milliseconds(next.incident.plan?.settleWithin ?? limits.settleWithin);
  next.set({ verification: { appliedAt: now, settledAt, deadline: now + milliseconds(limits.verifyWithin) }, memory: undefined });
  return next
    .to('applied', because)
    .look(now + 1_000)
    .done();
}
