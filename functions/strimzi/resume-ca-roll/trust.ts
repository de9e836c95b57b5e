import type { Cluster } from '../../../shared/cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { findOperator, type Operator, type Seen } from './leader.ts';
import { annotation, CERT, KEY, type Roll, SUFFIX, secret } from './roll.ts';

/** What is kept from one examination to the next. Nothing of it comes from a fact. */
export type Memory = {
  /** The key generation the rest is about. */
  generation: string;
  /** The certificate's generation when this key generation was first seen. */
  certificate: string | null;
  operator: Operator | null;
  seen: Seen | null;
};

/**
 * What is known of this generation. Which operator is responsible is read at each examination: it may have been reinstalled, and then the
 * lease that it left behind says nothing. What was seen of another operator's lease is forgotten. `noOperator`: why none is certain.
 */
export async function recall({ cluster, incident }: Examination, roll: Roll): Promise<{ memory: Memory; noOperator?: string }> {
  const before = incident.memory as Memory | undefined;
  const known = before?.generation === roll.generation ? before : undefined;
  const certificate = known ? known.certificate : (annotation(await readBundle(cluster, roll), CERT) ?? null);
  const found = await findOperator(cluster, roll.key.metadata.namespace ?? '');
  const operator = typeof found === 'string' ? null : found;
  const seen = known && operator && known.operator?.namespace === operator.namespace ? known.seen : null;
  const memory = { generation: roll.generation, certificate, operator, seen };
  return typeof found === 'string' ? { memory, noOperator: found } : { memory };
}

/** The Secret with the certificates that pods trust. */
export const readBundle = (cluster: Cluster, { key }: Roll) =>
  cluster.get(secret(key.metadata.namespace, `${key.metadata.name.slice(0, -SUFFIX.length)}${SUFFIX}-cert`));

/**
 * When the bundle that pods trust was in place at the latest, milliseconds: the API server's own times of the newest write to the
 * generation or the data of both Secrets. The operator writes the bundle first and the key after it. Any later write to them only makes
 * it later, so that fewer pods are proven. A string: why there is no such time.
 */
export function trustedAt({ key }: Roll, bundle: KubernetesObject | undefined): number | string {
  const times = [writtenAt(key, KEY), bundle ? writtenAt(bundle, CERT) : Number.NaN];
  const silent = times.findIndex(Number.isNaN);
  if (silent < 0) return Math.max(...times);
  const name = silent === 0 ? key.metadata.name : `${key.metadata.name}-cert`;
  return `the Secret ${name} does not say when its generation was written (metadata.managedFields)`;
}

/** The end of the second in which an annotation or data was last written: `managedFields` holds whole seconds, cut off. NaN: unknown. */
function writtenAt({ metadata }: KubernetesObject, name: string): number {
  const entries = (metadata.managedFields ?? []).map(({ time = '', fieldsV1 = {} }) => {
    const { 'f:annotations': annotations = {} } = (fieldsV1['f:metadata'] ?? {}) as { 'f:annotations'?: object };
    const owns = Object.hasOwn(annotations, `f:${name}`);
    return { owns, writes: owns || fieldsV1['f:data'] !== undefined, at: Date.parse(time) };
  });
  if (!entries.some(({ owns }) => owns)) return Number.NaN;
  return Math.max(...entries.filter(({ writes }) => writes).map(({ at }) => at)) + 1_000;
}
