import type { PodPort } from './kubernetes/port-forward.ts';
import type { Target } from './plan.ts';
import type { Znode } from './zookeeper/client.ts';

/** A node of the ZooKeeper behind a port of a pod. */
export interface ZnodeReference extends PodPort {
  path: string;
}

/** What makes a node this very node in this very state. `czxid` tells a node that was re-created and reached the same version. */
export interface ZnodeLock {
  czxid: string;
  version: number;
  /** Milliseconds. */
  mtime: number;
}

/** Deletes one node of ZooKeeper, if it is still the one that was judged. */
export interface DeleteZnode {
  kind: 'delete-znode';
  /** The pod it is reached through. */
  target: Target;
  reason: string;
  port: number;
  path: string;
  lock: ZnodeLock;
  /** Kept beside it before it is deleted: other nodes, for people. */
  keep: string[];
}

/** Creates one lasting node of ZooKeeper that is not there: the inverse of a deletion. */
export interface CreateZnode {
  kind: 'create-znode';
  target: Target;
  reason: string;
  port: number;
  path: string;
  /** Base64. */
  data: string;
}

export type ZnodeStep = DeleteZnode | CreateZnode;

/** A node as it is kept before it is deleted. */
export type KeptZnode = Omit<Znode, 'data'> & { path: string; data: string };

export const isZnodeStep = (step: { kind: string }): step is ZnodeStep => step.kind === 'delete-znode' || step.kind === 'create-znode';

const podTarget = ({ namespace, pod }: PodPort): Target => ({ group: '', version: 'v1', resource: 'pods', namespace, name: pod });

/** The node that a step is about. */
export const znodeOf = ({ target, port, path }: ZnodeStep): ZnodeReference => ({
  ...{ namespace: target.namespace ?? '', pod: target.name, port, path },
});

/** `/migration in ZooKeeper at pods kafka/my-cluster-zookeeper-0`, for people. */
export const znodeName = ({ namespace, pod, path }: ZnodeReference): string => `${path} in ZooKeeper at pods ${namespace}/${pod}`;

export const lockOf = ({ czxid, version, mtime }: Znode): ZnodeLock => ({ czxid, version, mtime });

/** Deletes `znode` as it was read; the nodes of `keep` are saved with it. */
export const deleteStep = (reference: ZnodeReference, znode: Znode, keep: string[], reason: string): DeleteZnode => ({
  kind: 'delete-znode',
  target: podTarget(reference),
  ...{ reason, port: reference.port, path: reference.path, lock: lockOf(znode), keep },
});

/** Puts back what a deletion took, from its backup. It is refused when a node of that path is there again: then somebody moved on. */
export function inverseOf(step: DeleteZnode, backup: string): CreateZnode {
  const kept = (JSON.parse(backup) as KeptZnode[]).find(({ path }) => path === step.path);
  if (!kept) throw new Error(`The backup holds no ${step.path}: was it made by this step?`);
  const { target, port, path } = step;
  return { kind: 'create-znode', target, reason: `undo: ${step.reason}`, port, path, data: kept.data };
}

/** A node as JSON text can hold it. */
export const kept = (path: string, { data, ...stat }: Znode): KeptZnode => ({ path, data: data.toString('base64'), ...stat });
