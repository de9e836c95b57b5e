import { reportOnly } from '../case.ts';
import { runs } from '../situation.ts';

/** KubeBlocks #8793: HorizontalScaling. */
export const mongodbOffline = reportOnly({
  issue: '#8793',
  affects: '1.0.0-beta.22, addon mongodb',
  because: 'taking a mongodb instance offline misbehaves in this version; why is not known',
  types: ['HorizontalScaling'],
  phases: ['Running'],
  patience: '10m',
  found(situation) {
    const { op, components } = situation;
    const item = op.spec.horizontalScaling?.find(({ scaleIn }) => scaleIn?.onlineInstancesToOffline?.length);
    const addon = components.find(({ name }) => name === item?.componentName)?.componentDef ?? '';
    return item && addon.startsWith('mongodb') && runs(situation, '1.0.0-beta.22') ? { component: item.componentName } : undefined;
  },
  advice: ['Look at the replica set with rs.status() before anything else', 'Upgrade to 1.0.1 or later'],
});
