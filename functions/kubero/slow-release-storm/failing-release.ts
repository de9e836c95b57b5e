import { allLive } from '../../../shared/evidence.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { report, type Verdict } from '../../../shared/verdict.ts';

/** A condition that says the release cannot be installed, upgraded or rendered. */
export interface Failure {
  type: string;
  reason: string;
  /** Since when, milliseconds. */
  since: number;
  /** Whether an older version of the release runs meanwhile. */
  deployed: boolean;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  lastTransitionTime?: string;
}

/** Why the release of a pipeline fails now; undefined when it does not. `Deployed=True` says nothing about it. */
export function failureOf({ status }: KubernetesObject): Failure | undefined {
  const conditions = ((status?.conditions ?? []) as Condition[]).filter((condition) => condition.status === 'True');
  const found = conditions.find(({ type }) => type === 'ReleaseFailed' || type === 'Irreconcilable');
  const deployed = conditions.some(({ type }) => type === 'Deployed');
  return found && { type: found.type, reason: found.reason ?? '', since: Date.parse(found.lastTransitionTime ?? ''), deployed };
}

/** An error loop told as what it is. Slowing it down would hide it: its cause has to be mended. */
export function reportFailure({ type, reason, deployed }: Failure, { metadata, spec = {} }: KubernetesObject): Verdict {
  const { namespace, name } = metadata;
  const registry = (spec.registry as { createSecret?: string } | null | undefined)?.createSecret ?? 'not set';
  const login = `${spec.mainnamespace ?? 'kubero'}/registry-login`;
  // The condition's message stays in the cluster: an API server's refusal may quote what it refuses.
  const advice = [`Read why: kubectl -n ${namespace} get kuberopipelines ${name} -o jsonpath='{.status.conditions}'`];
  if (registry === 'copy')
    advice.push(`createSecret copy needs the Secret ${login}: is it there, with username, password and .dockerconfigjson?`);
  return report(
    `the release fails and is tried again without end: ${whatHappens(type, deployed)}. This is no storm of upgrades that succeed`,
    {
      evidence: allLive({ failing: type, reason, registry }),
      advice,
    },
  );
}

function whatHappens(type: string, deployed: boolean): string {
  if (type === 'Irreconcilable') return 'its chart cannot be rendered with this spec';
  if (deployed) return 'every attempt is an upgrade and a rollback, two revisions';
  return 'every attempt installs and uninstalls it, and the namespaces of its phases are deleted with it';
}
