import { reportOnly } from '../case.ts';
import { isReady, parentOf, podsOf } from '../situation.ts';

/** KubeBlocks #9670: HorizontalScaling. */
export const roleMissing = reportOnly({
  issue: '#9670',
  affects: '1.0.x',
  because: 'a ready pod without a role is not counted: its role probe has not answered',
  types: ['HorizontalScaling'],
  phases: ['Running'],
  patience: '6m',
  found(situation) {
    const without = (situation.op.spec.horizontalScaling ?? []).flatMap(({ componentName }) => {
      const members = situation.instanceSets.get(parentOf(situation, componentName))?.status?.membersStatus ?? [];
      if (members.length === 0) return [];
      const listed = new Set(members.map(({ podName }) => podName));
      return podsOf(situation, componentName)
        .filter((pod) => isReady(pod) && !listed.has(pod.metadata.name))
        .map(({ metadata }) => metadata.name);
    });
    return without.length > 0 ? { without } : undefined;
  },
  advice: [
    'Look at the roleProbe of the pod: kubectl logs POD -c kbagent',
    'Once it is known what the pod is, label it: kubectl label pod POD kubeblocks.io/role=ROLE; the operation then ends (measured)',
  ],
});
