import type { Collection, KubernetesObject, Reference } from '../../shared/kubernetes/object.ts';
import { pathOf } from '../../shared/kubernetes/object.ts';
import type { Redaction } from '../../shared/redaction.ts';
import { type ZnodeReference, znodeName } from '../../shared/znode-step.ts';
import type { Znode } from '../../shared/zookeeper/client.ts';

/** A question to a cluster and its answer, as a recording and a bundle hold it; null: there was none. */
export type ReadLine =
  | { get: Reference; object: KubernetesObject | null }
  | { list: Collection; objects: KubernetesObject[] }
  | { znode: ZnodeReference; value: (Omit<Znode, 'data'> & { data: string }) | null };

/** What the answers are found by: the same question again gives the same. */
export function questionOf(read: ReadLine): string {
  if ('get' in read) return getQuestion(read.get);
  return 'list' in read ? listQuestion(read.list) : znodeName(read.znode);
}

export const getQuestion = (reference: Reference): string => pathOf(reference, reference.name);
export const listQuestion = (collection: Collection): string => `${pathOf(collection)}?${collection.labelSelector ?? ''}`;

/** The line without credentials. The nodes that are read are Kafka's own bookkeeping: no credentials, and judged byte by byte. */
export function readAnswer(read: ReadLine, { object: redact }: Redaction): ReadLine {
  if ('get' in read) return { get: read.get, object: redact(read.object) as KubernetesObject | null };
  if ('list' in read) return { list: read.list, objects: read.objects.map((one) => redact(one) as KubernetesObject) };
  return read;
}
