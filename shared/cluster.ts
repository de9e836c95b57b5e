import type { Collection, KubernetesObject, Reference } from './kubernetes/object.ts';

/** What `examine` may do: read. Every read becomes evidence; an answer that is not certain throws `Doubt`. */
export interface Cluster {
  readonly name: string;
  /** The object, or undefined when the API server says it does not exist. */
  get(reference: Reference): Promise<KubernetesObject | undefined>;
  /** All objects of the collection, over all pages. */
  list(collection: Collection): Promise<KubernetesObject[]>;
  /** A pinned document and its SHA-256, or undefined when nobody added it. */
  artifact(name: string): Promise<{ text: string; sha256: string } | undefined>;
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
