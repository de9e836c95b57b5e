import { milliseconds } from '../../../../shared/duration.ts';
import { abort } from '../abort.ts';
import type { Case } from '../case.ts';
import { covers } from '../resources.ts';
import { isReady, lastOf } from '../situation.ts';

/** KubeBlocks #9966: VerticalScaling. */
export const cancellingShards: Case = {
  issue: '#9966',
  affects: '1.0.1; a fix is in 1.0.2, the issue is still open',
  because: 'a cancelled vertical scaling of a sharding expects progress of every shard, also of those it had not touched',
  types: ['VerticalScaling'],
  phases: ['Cancelling'],
  ask(situation) {
    const { op, shardings, now, pods, cluster } = situation;
    const items = op.spec.verticalScaling ?? [];
    const cancelling = now - Date.parse(op.status?.cancelTimestamp ?? '');
    if (!(cancelling >= milliseconds('30s')) || items.length === 0) return undefined;
    if (cluster.status?.observedGeneration !== cluster.metadata.generation || cluster.status?.phase !== 'Running') return undefined;
    const reverted = items.every(({ componentName }) => {
      const template = shardings.find(({ name }) => name === componentName)?.template;
      const last = lastOf(situation, componentName);
      const known = Object.keys({ ...last?.requests, ...last?.limits }).length > 0;
      return template !== undefined && last !== undefined && known && covers(template.resources, last);
    });
    if (!reverted || ![...pods.values()].every(isReady)) return undefined;
    return abort(this, situation, 'the Cluster is as it was before, and the cancel does not end', {
      shardings: items.map(({ componentName }) => componentName),
    });
  },
};
