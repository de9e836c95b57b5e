import satisfies from 'semver/functions/satisfies.js';
import { type Cluster, Doubt } from '../../../shared/cluster.ts';
import { type Collection, type KubernetesObject, nameOf, type Reference } from '../../../shared/kubernetes/object.ts';
import type { Examination } from '../../../shared/remediation.ts';
import {
  asCluster,
  asInstanceSet,
  asOpsRequest,
  type ClusterObject,
  type Component,
  type InstanceSet,
  type OpsRequest,
  type QueueEntry,
  queueOf,
  type Sharding,
} from './api.ts';

/** One look at an operation and everything around it, read once. */
export interface Situation {
  op: OpsRequest;
  opReference: Reference;
  phase: string;
  cluster: ClusterObject;
  clusterReference: Reference;
  /** What the Cluster says about who holds it and who waits. */
  queue: QueueEntry[];
  /** The other operations of the Cluster. */
  others: OpsRequest[];
  pods: Map<string, KubernetesObject>;
  instanceSets: Map<string, InstanceSet>;
  components: Component[];
  shardings: Sharding[];
  /** `1.0.0`; undefined where nobody's field manager tells. */
  kubeblocks: string | undefined;
  /** Milliseconds since the operation began (since its creation while it has not). */
  age: number;
  now: number;
  /** For what only one case needs. */
  read: Cluster;
}

/** Reads it all. Undefined: the operation does not exist any more. Throws Doubt where something cannot be known. */
export async function look({ cluster: read, incident, now }: Examination): Promise<Situation | undefined> {
  const { group, version, resource, namespace, name, uid } = incident.object;
  const opReference = { group, version, resource, namespace, name };
  const live = await read.get(opReference);
  if (!live || (uid !== undefined && live.metadata.uid !== uid)) return undefined;
  const op = asOpsRequest(live);
  const clusterName = op.spec.clusterName ?? op.spec.clusterRef;
  if (!clusterName) throw new Doubt(`${nameOf(incident.object)} names no Cluster`);
  // KubeBlocks 0.9 has one group for all of it, 1.x moved the operations out and its Clusters to v1.
  const generation = group === 'operations.kubeblocks.io' ? 'v1' : 'v1alpha1';
  const clusterReference = { group: 'apps.kubeblocks.io', version: generation, resource: 'clusters', namespace, name: clusterName };
  const found = await read.get(clusterReference);
  if (!found) throw new Doubt(`${nameOf(clusterReference)}, which ${nameOf(incident.object)} works on, does not exist`);
  const cluster = asCluster(found);
  const of = (kind: Omit<Collection, 'namespace'>) =>
    read.list({ ...kind, namespace, labelSelector: `app.kubernetes.io/instance=${clusterName}` });
  const pods = await of({ group: '', version: 'v1', resource: 'pods' });
  const instanceSets = await of({ group: 'workloads.kubeblocks.io', version: generation, resource: 'instancesets' });
  const all = await read.list({ group, version, resource, namespace });
  const { componentSpecs = [], shardings, shardingSpecs } = cluster.spec;
  const began = Date.parse(op.status?.startTimestamp ?? String(op.metadata.creationTimestamp));
  return {
    ...{ op, opReference, cluster, clusterReference, now, read },
    phase: op.status?.phase ?? '',
    queue: queueOf(cluster),
    others: all.filter(({ metadata }) => metadata.name !== name).flatMap((other) => ofCluster(other, clusterName)),
    pods: new Map(pods.map((pod) => [pod.metadata.name, pod])),
    instanceSets: new Map(instanceSets.map((set) => [set.metadata.name, asInstanceSet(set)])),
    components: componentSpecs,
    shardings: shardings ?? shardingSpecs ?? [],
    kubeblocks: versionOf(op),
    age: Number.isNaN(began) ? 0 : now - began,
  };
}

/**
 * `KubeBlocks v1.0.0 (linux/amd64)` becomes the field manager `KubeBlocks v1.0.0 (linux`: the newest says which version runs. Only entries
 * of the status count: users who may create operations may not write their status, and a field manager is a claim of whoever writes.
 */
function versionOf({ metadata }: KubernetesObject): string | undefined {
  const versions = (metadata.managedFields ?? []).flatMap(({ manager = '', subresource, time = '' }) => {
    const version = subresource === 'status' ? /^KubeBlocks v?(\d+\.\d+\.\d+\S*)/.exec(manager)?.[1] : undefined;
    return version ? [{ version, time }] : [];
  });
  return versions.sort((a, b) => a.time.localeCompare(b.time)).at(-1)?.version;
}

function ofCluster(object: KubernetesObject, cluster: string): OpsRequest[] {
  const { clusterName, clusterRef } = object.spec ?? {};
  return (clusterName ?? clusterRef) === cluster ? [asOpsRequest(object)] : [];
}

/** Whether the running KubeBlocks may be one of `range`; true where its version is not known. */
export const mayRun = ({ kubeblocks }: Situation, range: string): boolean =>
  kubeblocks === undefined || satisfies(kubeblocks, range, { includePrerelease: true });

/** Whether the running KubeBlocks is known to be one of `range`. */
export const runs = (situation: Situation, range: string): boolean => situation.kubeblocks !== undefined && mayRun(situation, range);

/** Whether the pod is there, not going away, and Ready. */
export function isReady(pod: KubernetesObject | undefined): boolean {
  const conditions = (pod?.status?.conditions ?? []) as { type: string; status: string }[];
  return (
    pod !== undefined && !pod.metadata.deletionTimestamp && conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

/** The pods that carry a component's label. */
export const podsOf = ({ pods }: Situation, component: string): KubernetesObject[] =>
  [...pods.values()].filter(({ metadata }) => metadata.labels?.['apps.kubeblocks.io/component-name'] === component);

/** `<cluster>-<component>`: the prefix of its instances and the name of its InstanceSet and Component. */
export const parentOf = ({ cluster }: Situation, component: string): string => `${cluster.metadata.name}-${component}`;

/** The progress details of a component, as the operation last wrote them. */
export const detailsOf = ({ op }: Situation, component: string) => op.status?.components?.[component]?.progressDetails ?? [];

/** What the operation had found before it changed anything. */
export const lastOf = ({ op }: Situation, component: string) => op.status?.lastConfiguration?.components?.[component];

/** Operations that work on the Cluster now, besides this one. */
export const alsoRunning = ({ op, queue, others }: Situation): string[] => {
  const working = others.filter(({ status }) => ['Creating', 'Running', 'Cancelling'].includes(status?.phase ?? ''));
  const holding = queue.filter(({ name, inQueue }) => !inQueue && name !== op.metadata.name);
  return [...new Set([...working.map(({ metadata }) => metadata.name), ...holding.map(({ name }) => name)])].sort();
};

/** Operations that wait for the Cluster, in order. */
export const waitingBehind = ({ queue, others }: Situation): OpsRequest[] =>
  queue.filter(({ inQueue }) => inQueue).flatMap(({ name }) => others.filter(({ metadata }) => metadata.name === name));
