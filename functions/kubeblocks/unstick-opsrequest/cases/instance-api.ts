import { reportOnly } from '../case.ts';
import { detailsOf, isReady, parentOf } from '../situation.ts';

/** KubeBlocks #10485: HorizontalScaling. */
export const instanceApi = reportOnly({
  issue: '#10485',
  affects: 'the 1.1 and 1.2 lines with enableInstanceAPI',
  because:
    'the pod exists and is ready, but the InstanceSet lists no revisions, so it counts as not created. Looks like #9000; replicas are right',
  types: ['HorizontalScaling'],
  phases: ['Running'],
  patience: '5m',
  found(situation) {
    const waiting = (situation.op.spec.horizontalScaling ?? []).flatMap(({ componentName }) => {
      const revisions = situation.instanceSets.get(parentOf(situation, componentName))?.status?.currentRevisions ?? {};
      if (Object.keys(revisions).length > 0) return [];
      return detailsOf(situation, componentName).filter(({ status }) => status === 'Pending');
    });
    const pods = waiting.map(({ objectKey = '' }) => objectKey.replace('Pod/', '')).filter((pod) => isReady(situation.pods.get(pod)));
    return pods.length > 0 ? { pods } : undefined;
  },
  advice: ['Do not change the replicas', 'Set spec.timeoutSeconds to 1 on the operation: the scaling is done, it is only not counted'],
});
