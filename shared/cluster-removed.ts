import type { Draft } from './draft.ts';
import { doneOf, type Incident, isUnanswered } from './incident.ts';
import { keepUnanswered, withoutWork } from './unanswered.ts';

/** The cluster of an incident is not in the configuration any more: it can neither be examined nor written, so the incident ends and says what it did there. */
export function onClusterRemoved(next: Draft, because: string): Incident {
  const { id, cluster } = next.incident;
  const sent = isUnanswered(next.incident);
  const steps = [...doneOf(next.incident), ...(next.incident.undo?.execution ? [{ execution: next.incident.undo.execution }] : [])];
  const written = steps.reduce((sum, { execution }) => sum + execution.written.length, 0);
  const done = [
    ...(written > 0 ? [`${written === 1 ? '1 step was' : `${written} steps were`} written and cannot be verified`] : []),
    ...(sent ? ['a request was sent whose result is not known'] : []),
  ];
  keepUnanswered(next);
  next.execution({ attempted: undefined });
  next.set({ look: undefined, wake: undefined, effects: withoutWork(next.incident) });
  const what = done.length > 0 ? done.join(', and ') : 'nothing was written';
  return next
    .to(
      done.length > 0 ? 'failed' : 'expired',
      `the cluster "${cluster}" is not configured any more: ${what}. When it is configured again, run: kubemend rerun ${id} (${because})`,
    )
    .done();
}
