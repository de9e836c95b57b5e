import { milliseconds } from '../../../../shared/duration.ts';
import { abort } from '../abort.ts';
import type { Case } from '../case.ts';
import { hasOrdinals } from '../names.ts';
import { hasResources } from '../resources.ts';
import { isReady, parentOf, podsOf } from '../situation.ts';

/** KubeBlocks #9779: VerticalScaling. */
export const ordinalRanges: Case = {
  issue: '#9779',
  affects: 'up to 1.0.1; fixed in 1.0.2',
  because: 'the operation counts instances by names made without their ordinal ranges: it waits for pods of other names',
  types: ['VerticalScaling'],
  phases: ['Running'],
  ask(situation) {
    const { op, components, instanceSets, age } = situation;
    const items = op.spec.verticalScaling ?? [];
    if (age < milliseconds('30s') || op.spec.cancel || items.length === 0) return undefined;
    const ranged = items.some(({ componentName }) => {
      const { ordinals, instances = [] } = components.find(({ name }) => name === componentName) ?? {};
      return [{ ordinals }, ...instances].some((one) => hasOrdinals(one.ordinals));
    });
    // Never cancelled: that would take back what all pods already have.
    const done = items.every(({ componentName, requests, limits }) => {
      const set = instanceSets.get(parentOf(situation, componentName));
      const pods = podsOf(situation, componentName);
      const { replicas, readyReplicas, updatedReplicas, observedGeneration } = set?.status ?? {};
      const settled = observedGeneration === set?.metadata.generation && replicas === readyReplicas && replicas === updatedReplicas;
      return settled && pods.length === replicas && pods.every((pod) => isReady(pod) && hasResources(pod, { requests, limits }));
    });
    if (!ranged || !done) return undefined;
    return abort(this, situation, 'every pod is ready and has what was asked for', {
      components: items.map(({ componentName }) => componentName),
    });
  },
};
