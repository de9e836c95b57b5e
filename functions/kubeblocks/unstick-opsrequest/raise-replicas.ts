import { allLive } from '../../../shared/evidence.ts';
import { jsonPatch, type Operation, targetOf } from '../../../shared/plan.ts';
import { fix, type Verdict } from '../../../shared/verdict.ts';
import { addonOf, survivesResync } from './addon.ts';
import { type Cause, evidenceOf } from './case.ts';
import { planRaise } from './names.ts';
import type { Situation } from './situation.ts';
import type { StuckOnline } from './stuck-online.ts';

/**
 * Fix A: the replicas the controller forgot to add, under tests of all they rest on. `componentSpecs` is an atomic list: a merge patch
 * would send the whole of it. `offlineInstances` is never written: the controller has cleared it.
 */
export function raiseReplicas(cause: Cause, situation: Situation, { component, index, parent, missing }: StuckOnline): Verdict {
  const { cluster, clusterReference, instanceSets } = situation;
  const plan = planRaise(parent, component, missing);
  if (!plan.ok) throw new Error(`A raise of ${parent} was planned that is none: ${plan.because}`);
  const at = `/spec/componentSpecs/${index}`;
  const operations: Operation[] = [
    { op: 'test', path: `${at}/name`, value: component.name },
    { op: 'test', path: `${at}/replicas`, value: component.replicas },
    { op: 'replace', path: `${at}/replicas`, value: plan.next.replicas },
  ];
  for (const [j, { name, replicas = 1 }] of (plan.next.instances ?? []).entries()) {
    const before = component.instances?.[j]?.replicas;
    if (replicas === (before ?? 1)) continue;
    operations.push({ op: 'test', path: `${at}/instances/${j}/name`, value: name });
    if (before !== undefined) operations.push({ op: 'test', path: `${at}/instances/${j}/replicas`, value: before });
    operations.push({ op: 'add', path: `${at}/instances/${j}/replicas`, value: replicas });
  }
  const addon = addonOf(situation, component);
  const kept = instanceSets.get(parent)?.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Retain';
  return fix(`${missing.join(', ')} will never be created: ${component.name} has replicas ${component.replicas} (${cause.issue})`, {
    evidence: allLive({
      remedy: 'raise replicas',
      ...evidenceOf(cause, situation),
      component: component.name,
      missing,
      replicas: { from: component.replicas, to: plan.next.replicas },
      addon,
      volumes: kept ? 'kept as they were when it went offline' : 'deleted when it went offline: a full resync',
    }),
    ...(!survivesResync(addon) && { approval: 'always' }),
    steps: [
      jsonPatch(
        targetOf(clusterReference, cluster),
        operations,
        `raise replicas of ${component.name} from ${component.replicas} to ${plan.next.replicas}`,
      ),
    ],
  });
}
