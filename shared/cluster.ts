import type { Collection, KubernetesObject, Reference } from './kubernetes/object.ts';
import type { ZnodeReference } from './znode-step.ts';
import type { Znode } from './zookeeper/client.ts';

/** What `examine` may do: read. Every read becomes evidence; an answer that is not certain throws `Doubt`. */
export interface Cluster {
  readonly name: string;
  /** The object, or undefined when the API server says it does not exist. */
  get(reference: Reference): Promise<KubernetesObject | undefined>;
  /** All objects of the collection, over all pages. */
  list(collection: Collection): Promise<KubernetesObject[]>;
  /** A pinned document and its SHA-256, or undefined when nobody added it. */
  artifact(name: string): Promise<{ text: string; sha256: string } | undefined>;
  /** A node of the ZooKeeper inside a pod as its leader has it, or undefined when ZooKeeper says that there is none. */
  znode(reference: ZnodeReference): Promise<Znode | undefined>;
}

/** Something could not be known: no permission, no answer, never recorded. Never the same as "does not exist", and never a reason to write. */
export class Doubt extends Error {
  override name = 'Doubt';
}

/** One read, as the incident keeps it. */
export interface Read {
  path: string;
  found: boolean;
  uid?: string;
  resourceVersion?: string;
  items?: number;
}
