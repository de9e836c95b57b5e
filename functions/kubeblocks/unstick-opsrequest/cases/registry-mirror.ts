import { milliseconds } from '../../../../shared/duration.ts';
import type { KubernetesObject } from '../../../../shared/kubernetes/object.ts';
import { abort } from '../abort.ts';
import type { InstanceSet } from '../api.ts';
import type { Case } from '../case.ts';
import { isReady, parentOf, podsOf } from '../situation.ts';

/** KubeBlocks #8417: Upgrade. */
export const registryMirror: Case = {
  issue: '#8417',
  affects: '0.9.0 and 0.9.1; fixed in 0.9.2 and 1.0',
  because: 'images are compared with their registry: behind a mirror that rewrites it no pod ever has the expected one',
  types: ['Upgrade'],
  phases: ['Running'],
  ask(situation) {
    const { op, age, instanceSets } = situation;
    const components = op.spec.upgrade?.components?.map(({ componentName }) => componentName) ?? [];
    if (age < milliseconds('30s') || components.length === 0) return undefined;
    const mirrored = components.flatMap((component) => {
      const set = instanceSets.get(parentOf(situation, component));
      const pods = podsOf(situation, component);
      if (!set || pods.length !== set.spec.replicas || !pods.every(isReady)) return ['unproven'];
      return pods.map((pod) => compare(pod, set));
    });
    if (!mirrored.includes('mirrored') || mirrored.includes('unproven')) return undefined;
    return abort(this, situation, 'every pod is ready with the new image, out of another registry', { components });
  },
};

/** The pod's images against those it should have; only a registry may differ. */
function compare(pod: KubernetesObject, { spec }: InstanceSet): 'mirrored' | 'same' | 'unproven' {
  const running = (pod.spec?.containers ?? []) as { name: string; image?: string }[];
  const pairs = (spec.template?.spec.containers ?? []).map(({ name, image = '' }) => [
    image,
    running.find((one) => one.name === name)?.image ?? '',
  ]);
  if (pairs.length === 0 || pairs.some(([wanted = '', has = '']) => tailOf(wanted) !== tailOf(has))) return 'unproven';
  return pairs.some(([wanted, has]) => wanted !== has) ? 'mirrored' : 'same';
}

/** `registry.example:5000/apecloud/kafka:3.8` without its registry; the first part is one when it has a dot, a port, or is localhost. */
const tailOf = (image: string): string => image.replace(/^(?:[^/]*[.:][^/]*|localhost)\//, '').replace(/^library\//, '');
