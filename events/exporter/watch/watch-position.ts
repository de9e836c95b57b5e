import { asRecord } from '../as-record.ts';

/** Where a watch stands: read it at any time to make a checkpoint. Times in milliseconds. */
export interface WatchPosition {
  /** The last one handled; absent while it is not known where to go on. */
  resourceVersion?: string | undefined;
  /** When we last knew to see everything. */
  aliveAt?: number | undefined;
  /** Identity of every object, to tell what vanished. */
  known: Map<string, KnownObject>;
}

/** An object without anything but its identity. */
export interface KnownObject {
  apiVersion: unknown;
  kind: unknown;
  metadata: Record<string, unknown>;
}

/** Where a process before this one stood. */
export interface Resume {
  resourceVersion: string;
  at: number;
  objects: KnownObject[];
  /** The objects as facts told of them after that, when some did. */
  told?: KnownObject[];
}

/** `namespace/name`: what an object is called within its resource. */
export const keyOf = (object: unknown): string => {
  const { namespace, name } = asRecord(asRecord(object).metadata);
  return `${namespace ?? ''}/${name}`;
};

/** What is left of an object when only its identity is kept. */
export function identityOf(object: unknown): KnownObject {
  const { apiVersion, kind, metadata } = asRecord(object);
  const { name, namespace, uid, resourceVersion, generation } = asRecord(metadata);
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, generation } };
}
