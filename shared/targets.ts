import type { Incident } from './incident.ts';
import type { Step, Target } from './plan.ts';
import type { State } from './state/state.ts';

/** What one incident at a time writes. The kind comes first: a function may lease only objects of the kinds that it may write (infra/policies.ts). */
const leaseOf = ({ cluster }: Incident, { group, resource, namespace = '', name }: Target): string =>
  `target/${group}/${resource}/${cluster}/${namespace}/${name}`;

/** Takes or renews the lease of every target. Answers the target that another incident holds; undefined: all are held. Times in milliseconds. */
export async function holdTargets(
  state: State,
  incident: Incident,
  steps: Step[],
  { until, now }: { until: number; now: number },
): Promise<Target | undefined> {
  for (const { target } of steps) if (!(await state.lease(leaseOf(incident, target), incident.id, until, now))) return target;
  return undefined;
}

/** Lets others write what this incident held; what it never held stays as it is. */
export async function releaseTargets(state: State, incident: Incident, steps: Step[]): Promise<void> {
  for (const { target } of steps) await state.release(leaseOf(incident, target), incident.id);
}
