import { asRecord } from '../as-record.ts';

/** One line of a watch or list: as received, or as recorded in a bundle. */
export interface WatchEvent {
  /** ISO 8601, the exporter's clock. */
  receivedAt: string;
  /** Plural, lower case. */
  resource: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  /** The whole object; its apiVersion names the group. */
  object: unknown;
  /** From a list: state, not a change. */
  fromList?: boolean;
  /** From a list after a blind interval: differences from the known state happened, nobody knows how many. */
  gap?: boolean;
  /** Only apiVersion, kind and the identity in metadata are known: the state before a restart, from a checkpoint. */
  headOnly?: boolean;
}

/** What the reducer needs of any object; strings are '' and numbers absent where the object lacks them. */
export interface ObjectHead {
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
}

/** Reads apiVersion, kind and metadata of a watched object; undefined when it has no apiVersion or no name. */
export function readHead(object: unknown): ObjectHead | undefined {
  const { apiVersion, kind, metadata } = asRecord(object);
  const { namespace, name, uid, resourceVersion, generation } = asRecord(metadata);
  const [version, group = ''] = text(apiVersion).split('/').reverse();
  if (!version || !text(name)) return undefined;
  return {
    group,
    version,
    kind: text(kind),
    namespace: text(namespace),
    name: text(name),
    uid: text(uid),
    resourceVersion: text(resourceVersion),
    ...(typeof generation === 'number' && { generation }),
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
