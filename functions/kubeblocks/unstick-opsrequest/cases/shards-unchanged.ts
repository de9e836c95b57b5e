import { abort } from '../abort.ts';
import type { Case } from '../case.ts';
import { detailsOf, lastOf } from '../situation.ts';

/** KubeBlocks #9790: HorizontalScaling. */
export const shardsUnchanged: Case = {
  issue: '#9790',
  affects: 'up to 1.0.1; fixed in 1.0.2 and 1.1.0-alpha.4',
  because: 'scaling to the number of shards there already are: nothing is to be done, and zero of zero is never called done',
  types: ['HorizontalScaling'],
  phases: ['Running'],
  ask(situation) {
    const { op, shardings, cluster } = situation;
    const items = op.spec.horizontalScaling ?? [];
    if (op.spec.cancel || op.status?.progress !== '0/0' || items.length === 0) return undefined;
    if ((cluster.metadata.generation ?? 0) < (op.status.clusterGeneration ?? Infinity)) return undefined;
    const unchanged = items.every(({ componentName, shards }) => {
      const now = shardings.find(({ name }) => name === componentName)?.shards;
      const before = lastOf(situation, componentName)?.shards;
      return shards !== undefined && shards === now && shards === before && detailsOf(situation, componentName).length === 0;
    });
    if (!unchanged) return undefined;
    const shards = Object.fromEntries(items.map(({ componentName, shards = 0 }) => [componentName, shards]));
    return abort(this, situation, 'it scales to the shards there already are', { shards });
  },
};
