import type { Cluster } from '../../../shared/cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';

/** The annotation that asks for a migration, a rollback or neither. */
export const KRAFT = 'strimzi.io/kraft';

/** What Kubernetes says about a Kafka and everything that could write its metadata. */
export interface Situation {
  kafka: KubernetesObject;
  namespace: string;
  name: string;
  /** `status.kafkaMetadataState`: which half of the migration protocol it is in. */
  state: string | undefined;
  /** Lower case; absent means disabled. */
  annotation: string;
  brokers: KubernetesObject[];
  zookeepers: KubernetesObject[];
  /** KRaft controllers: the node pools that ask for them, and the pods that are left. */
  controllerPools: KubernetesObject[];
  controllers: KubernetesObject[];
  /** Claims of node pools that are gone: the metadata log of an abandoned attempt. */
  abandoned: KubernetesObject[];
  /** Claims of the controllers that are wanted now. */
  controllerClaims: KubernetesObject[];
}

/** The two values of a Kafka that decide whether anything is looked at. */
export const migrationOf = ({ metadata, status = {} }: KubernetesObject): Pick<Situation, 'state' | 'annotation'> => ({
  state: status.kafkaMetadataState as string | undefined,
  annotation: (metadata.annotations?.[KRAFT] ?? 'disabled').toLowerCase(),
});

/** Reads the pods, node pools and claims of one Kafka. */
export async function look(kafka: KubernetesObject, cluster: Cluster): Promise<Situation> {
  const { name, namespace = '' } = kafka.metadata;
  const of = { namespace, labelSelector: `strimzi.io/cluster=${name}` };
  const pods = await cluster.list({ group: '', version: 'v1', resource: 'pods', ...of });
  const pools = await cluster.list({ group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkanodepools', ...of });
  const claims = await cluster.list({ group: '', version: 'v1', resource: 'persistentvolumeclaims', ...of });
  const named = (suffix: string) => pods.filter((pod) => labelOf(pod, 'name') === `${name}-${suffix}`).sort(byName);
  const isController = (pod: KubernetesObject): boolean => labelOf(pod, 'controller-role') === 'true';
  const controllerPools = pools.filter(({ spec }) => ((spec?.roles ?? []) as string[]).includes('controller'));
  // What has no node pool has one of these names in its place.
  const alive = new Set(['kafka', 'zookeeper', ...pools.map(({ metadata }) => metadata.name)]);
  const inPool = (claim: KubernetesObject, names: Set<string>): boolean => names.has(labelOf(claim, 'pool-name') ?? 'kafka');
  return {
    ...{ kafka, namespace, name, ...migrationOf(kafka) },
    brokers: named('kafka').filter((pod) => !isController(pod)),
    zookeepers: named('zookeeper'),
    ...{ controllerPools, controllers: pods.filter(isController) },
    abandoned: claims.filter((claim) => !inPool(claim, alive)).sort(byName),
    controllerClaims: claims.filter((claim) => inPool(claim, new Set(controllerPools.map(({ metadata }) => metadata.name)))),
  };
}

/** Why the cluster is not at rest, in words; undefined when it is. */
export function unrest({ kafka, brokers, zookeepers }: Situation): string | undefined {
  const { generation } = kafka.metadata;
  const { observedGeneration, conditions = [] } = (kafka.status ?? {}) as { observedGeneration?: number; conditions?: Condition[] };
  if (observedGeneration !== generation) return 'the operator has not seen the newest change of the Kafka';
  if (!conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return 'the Kafka is not Ready';
  if (brokers.length === 0) return 'no broker is running';
  const unready = [...brokers, ...zookeepers].filter((pod) => !isReady(pod)).map(({ metadata }) => metadata.name);
  return unready.length > 0 ? `not Ready: ${unready.join(', ')}` : undefined;
}

interface Condition {
  type: string;
  status: string;
}

/** A pod that serves, and is not being deleted. */
export const isReady = ({ metadata, status }: KubernetesObject): boolean =>
  !metadata.deletionTimestamp &&
  ((status?.conditions ?? []) as Condition[]).some((condition) => condition.type === 'Ready' && condition.status === 'True');

const labelOf = ({ metadata }: KubernetesObject, label: string): string | undefined => metadata.labels?.[`strimzi.io/${label}`];
const byName = (a: KubernetesObject, b: KubernetesObject): number => (a.metadata.name < b.metadata.name ? -1 : 1);
