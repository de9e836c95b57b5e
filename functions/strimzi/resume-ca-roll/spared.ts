import type { Json } from '../../../shared/canonical.ts';
import type { Cluster } from '../../../shared/cluster.ts';
import { clear, report, type Verdict, wait } from '../../../shared/verdict.ts';
import type { Proof } from './proof.ts';
import { annotation, CERT, entriesOf, PRESENTED, type Roll, SUFFIX, secret } from './roll.ts';
import { readBundle } from './trust.ts';

/** After the fix: the operator must go on with new certificates, and restart no pod a second time for trust. */
export async function spared(roll: Roll, fixed: Record<string, Json>, cluster: Cluster): Promise<Verdict> {
  if (roll.generation !== fixed.generation) return report(`the CA key was replaced again: generation ${roll.generation}`);
  const certificate = annotation(await readBundle(cluster, roll), CERT);
  const proofs = fixed.pods as Record<string, Proof>;
  const again = roll.pods.filter(
    (pod) => proofs[pod.metadata.name] && proofs[pod.metadata.name]?.uid !== pod.metadata.uid && annotation(pod, PRESENTED) !== certificate,
  );
  if (again.length > 0) {
    return report(
      `the operator restarted ${again.map(({ metadata }) => metadata.name).join(', ')} again for roll 1: the fix came too late`,
    );
  }
  const { namespace, name } = roll.key.metadata;
  const own = await cluster.get(secret(namespace, `${name.slice(0, -SUFFIX.length)}-cluster-operator-certs`));
  const entries = entriesOf(roll.podSets).filter(({ presents }) => presents !== undefined);
  const isPresented = entries.length > 0 && entries.every(({ presents }) => presents === certificate);
  if (annotation(own, PRESENTED) === certificate || isPresented)
    return clear('the operator took the roll for done and went on with new certificates');
  return wait('the operator has not gone on to new certificates yet', '2s');
}
