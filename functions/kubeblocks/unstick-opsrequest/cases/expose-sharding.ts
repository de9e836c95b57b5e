import { reportOnly } from '../case.ts';
import { mayRun } from '../situation.ts';

/** KubeBlocks #9202: Expose. */
export const exposeSharding = reportOnly({
  issue: '#9202',
  affects: '0.9.3; fixed in 0.9.4',
  because: 'services of shards are looked for without their sharding selector: switching them off is never seen',
  types: ['Expose'],
  phases: ['Running'],
  patience: '5m',
  found(situation) {
    const { op, shardings } = situation;
    const item = op.spec.expose?.find(
      ({ componentName, switch: direction }) => direction === 'Disable' && shardings.some(({ name }) => name === componentName),
    );
    return item && mayRun(situation, '<0.9.4') ? { component: item.componentName ?? '' } : undefined;
  },
  advice: ['See whether the service is gone; then set spec.timeoutSeconds to 1', 'Upgrade to 0.9.4'],
});
