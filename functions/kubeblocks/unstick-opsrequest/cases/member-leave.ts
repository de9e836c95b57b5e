import { reportOnly } from '../case.ts';
import { detailsOf } from '../situation.ts';

/** KubeBlocks #8768: HorizontalScaling. */
export const memberLeave = reportOnly({
  issue: '#8768',
  affects: 'depends on the addon (also #8555, #8116)',
  because: 'a member that goes offline must leave first, and its memberLeave action does not succeed: the pod is never removed',
  types: ['HorizontalScaling'],
  phases: ['Running'],
  patience: '10m',
  found(situation) {
    const { op, pods } = situation;
    const waiting = (op.spec.horizontalScaling ?? []).flatMap(({ componentName, scaleIn }) =>
      scaleIn ? detailsOf(situation, componentName).filter(({ status }) => status === 'Pending' || status === 'Processing') : [],
    );
    const staying = waiting
      .map(({ objectKey = '' }) => objectKey.replace('Pod/', ''))
      .filter((pod) => pods.has(pod) && !pods.get(pod)?.metadata.deletionTimestamp);
    return staying.length > 0 ? { staying } : undefined;
  },
  advice: [
    'Look for memberLeave in the events of the Component and in the log of the pod\u0027s kbagent container',
    'Let the member leave by hand, with the database\u0027s own tool; KubeBlocks then removes the pod',
    'Cancel the operation only when the member is still a healthy one',
  ],
});
