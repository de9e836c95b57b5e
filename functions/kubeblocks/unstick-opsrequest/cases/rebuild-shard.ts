import { reportOnly } from '../case.ts';
import { mayRun } from '../situation.ts';

/** KubeBlocks #10053: RebuildInstance. */
export const rebuildShard = reportOnly({
  issue: '#10053',
  affects: 'up to 1.0.2 and 1.1.0-beta.4; fixed in 1.0.3-beta.0 and 1.1.0-beta.5',
  because: 'rebuilding an instance of a shard elsewhere looks for the phase of a component that is a sharding',
  types: ['RebuildInstance'],
  phases: ['Running'],
  patience: '10m',
  found(situation) {
    const { op, shardings } = situation;
    const item = op.spec.rebuildFrom?.find(
      ({ componentName, inPlace }) =>
        !inPlace && shardings.some(({ name }) => componentName === name || componentName.startsWith(`${name}-`)),
    );
    return item && mayRun(situation, '<1.0.3-beta.0 || >=1.1.0-alpha.0 <1.1.0-beta.5') ? { component: item.componentName } : undefined;
  },
  advice: ['See whether the new instance is ready and has its data; then set spec.timeoutSeconds to 1', 'Rebuild in place, or upgrade'],
});
