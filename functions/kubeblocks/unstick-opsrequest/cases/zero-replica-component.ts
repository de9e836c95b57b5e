import { milliseconds } from '../../../../shared/duration.ts';
import { abort } from '../abort.ts';
import type { Case } from '../case.ts';
import { isReady, podsOf } from '../situation.ts';

/** KubeBlocks #9908: Stop, Start. */
export const zeroReplicaComponent: Case = {
  issue: '#9908',
  affects: 'up to 1.0.1 and 0.9.5; fixed in 1.0.2 and 0.9.6-beta.7',
  because: 'a component with zero replicas has nothing to stop or start, and zero completed counts as not done',
  types: ['Stop', 'Start'],
  phases: ['Running'],
  ask(situation) {
    const { op, components, shardings, age, cluster, pods } = situation;
    if (age < milliseconds('30s') || shardings.length > 0) return undefined;
    const listed = (op.spec.type === 'Stop' ? op.spec.stop : op.spec.start)?.map(({ componentName }) => componentName);
    const meant = components.filter(({ name }) => !listed?.length || listed.includes(name));
    const empty = meant.filter(({ replicas }) => replicas === 0).map(({ name }) => name);
    if (empty.length === 0 || cluster.status?.observedGeneration !== cluster.metadata.generation) return undefined;
    const labelled = [...pods.values()].every(({ metadata }) => metadata.labels?.['apps.kubeblocks.io/component-name']);
    const done = meant.every((component) => {
      const running = podsOf(situation, component.name);
      if (op.spec.type === 'Stop') return (component.stop || component.replicas === 0) && running.length === 0;
      return !component.stop && running.length === component.replicas && running.every(isReady);
    });
    if (!labelled || !done) return undefined;
    return abort(this, situation, `${op.spec.type} is done, but ${empty.join(', ')} has no replicas`, { empty });
  },
};
