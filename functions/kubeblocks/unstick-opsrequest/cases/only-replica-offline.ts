import { reportOnly } from '../case.ts';
import { lastOf } from '../situation.ts';

/** KubeBlocks #8737: HorizontalScaling. */
export const onlyReplicaOffline = reportOnly({
  issue: '#8737',
  affects: '1.0.0-beta.21; 1.0.0 refuses the request',
  because: 'the only replica of a component was to be taken offline by force: it is never removed',
  types: ['HorizontalScaling'],
  phases: ['Running'],
  patience: '5m',
  found(situation) {
    const item = situation.op.spec.horizontalScaling?.find(
      ({ componentName, scaleIn }) => scaleIn?.onlineInstancesToOffline?.length && lastOf(situation, componentName)?.replicas === 1,
    );
    return item && { component: item.componentName };
  },
  advice: [
    'Cancel it (spec.cancel: true): the component is put back to one replica',
    'To stop the component use an operation of type Stop',
  ],
});
