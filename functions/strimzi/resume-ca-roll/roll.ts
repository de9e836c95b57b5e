import type { ObjectReference } from '../../../events/fact.ts';
import type { Cluster } from '../../../shared/cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';

/** The generation of the CA key that a pod trusts, as Strimzi notes it on the pod and on its entry in the StrimziPodSet. */
export const TRUSTED = 'strimzi.io/cluster-ca-key-generation';
/** The generation of the CA certificate that signed what a pod, or the operator, presents. */
export const PRESENTED = 'strimzi.io/cluster-ca-cert-generation';
/** The generation of the key itself, on the key's Secret. */
export const KEY = 'strimzi.io/ca-key-generation';
export const CERT = 'strimzi.io/ca-cert-generation';
export const SUFFIX = '-cluster-ca';

/** How far the cluster is with a new CA key. */
export interface Roll {
  key: KubernetesObject;
  generation: string;
  previous: string;
  /** All pods that Strimzi keeps a key generation of; in name order. */
  pods: KubernetesObject[];
  /** Those that are not at `generation`. */
  stale: KubernetesObject[];
  podSets: KubernetesObject[];
  /** 1: pods are restarted to trust the new CA. 2: to present certificates of it. Undefined: all trust it, what follows is never repeated. */
  number: 1 | 2 | undefined;
}

/** One pod as its StrimziPodSet wants it. */
export interface Entry {
  podSet: KubernetesObject;
  index: number;
  name: string;
  trusts: string | undefined;
  presents: string | undefined;
}

/** Reads how far the roll is; undefined when the CA's key is gone, carries no generation, or an operator wrote it that speaks only newer versions. */
export async function readRoll(cluster: Cluster, { namespace, name }: ObjectReference): Promise<Roll | undefined> {
  const labelSelector = `strimzi.io/cluster=${name},strimzi.io/kind=Kafka`;
  const key = await cluster.get(secret(namespace, `${name}${SUFFIX}`));
  const generation = annotation(key, KEY);
  if (!key || generation === undefined || !/^\d+$/.test(generation)) return undefined;
  const owner = key.metadata.ownerReferences?.find(({ kind }) => kind === 'Kafka');
  if (owner && owner.apiVersion !== `${KAFKAS.group}/${KAFKAS.version}`) return undefined;
  const [pods, podSets] = await Promise.all([
    cluster.list({ ...PODS, namespace, labelSelector }),
    cluster.list({ ...PODSETS, namespace, labelSelector }),
  ]);
  const noted = byName(pods.filter((pod) => annotation(pod, TRUSTED) !== undefined));
  const roll = { key, generation, previous: `${Number(generation) - 1}`, pods: noted, podSets: byName(podSets) };
  const stale = noted.filter((pod) => annotation(pod, TRUSTED) !== generation);
  const entries = entriesOf(roll.podSets);
  // A pod that is just being replaced is nowhere: its entry tells. Roll 2 begins with new entries.
  const isTrusted = stale.length === 0 && entries.every(({ trusts }) => trusts === undefined || trusts === generation);
  const isEntered = entries.some(({ trusts }) => trusts === generation);
  return { ...roll, stale, number: isTrusted ? undefined : isEntered ? 2 : 1 };
}

/** Every version with the defect serves and writes v1beta2. */
export const KAFKAS = { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas' };
export const PODS = { group: '', version: 'v1', resource: 'pods' };
export const PODSETS = { group: 'core.strimzi.io', version: 'v1beta2', resource: 'strimzipodsets' };
export const secret = (namespace: string | undefined, name: string) => ({ group: '', version: 'v1', resource: 'secrets', namespace, name });
export const annotation = (object: KubernetesObject | undefined, name: string): string | undefined => object?.metadata.annotations?.[name];

/** The entries of the sets, in order. */
export const entriesOf = (podSets: KubernetesObject[]): Entry[] =>
  podSets.flatMap((podSet) =>
    ((podSet.spec?.pods ?? []) as KubernetesObject[]).map((pod, index) => ({
      ...{ podSet, index, name: pod.metadata.name },
      ...{ trusts: annotation(pod, TRUSTED), presents: annotation(pod, PRESENTED) },
    })),
  );

const byName = (objects: KubernetesObject[]): KubernetesObject[] =>
  objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
