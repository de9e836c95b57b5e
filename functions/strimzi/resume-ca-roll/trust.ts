import type { Cluster } from '../../../shared/cluster.ts';
import type { Examination, Fact } from '../../../shared/remediation.ts';
import { type Writers, writersOf } from '../operator.ts';
import { findOperator, type Operator, type Seen } from './leader.ts';
import { annotation, CERT, KEY, type Roll, SUFFIX, secret } from './roll.ts';

/** What is kept from look to look. */
export type Memory = {
  /** The key generation the rest is about. */
  generation: string;
  /** When the trust bundle with this key was there at the latest, milliseconds; null when nobody saw it come. */
  trustedAt: number | null;
  /** The certificate's generation when this key generation was first looked at. */
  certificate: string | null;
  operator: Operator | null;
  seen: Seen | null;
};

/** A fact that took longer is a replay: what happened in between is not known. */
const FRESH = 60_000;

/** What is known of this generation: from the looks before, or from the fact and the first look. */
export async function recall({ hints, cluster, incident }: Examination<Hinted>, roll: Roll): Promise<Memory> {
  const known = incident.memory as Memory | undefined;
  const flipped = flippedAt(hints.flip.claimed(), roll);
  const isFresh = flipped !== undefined && incident.detectedAt - flipped < FRESH;
  if (known?.generation === roll.generation) return { ...known, trustedAt: known.trustedAt ?? (isFresh ? flipped : null) };
  const certificate = annotation(await readBundle(cluster, roll), CERT) ?? null;
  const operator = (await findOperator(cluster, roll.key.metadata.namespace ?? '')) ?? null;
  return { generation: roll.generation, trustedAt: isFresh ? flipped : null, certificate, operator, seen: null };
}

/** The Secret with the certificates that pods trust. */
export const readBundle = (cluster: Cluster, { key }: Roll) =>
  cluster.get(secret(key.metadata.namespace, `${key.metadata.name.slice(0, -SUFFIX.length)}${SUFFIX}-cert`));

/**
 * When we saw the key's generation change to the present one. The operator writes the bundle first and the key after it, so the bundle
 * was there. A change that only a list showed happened at any time before.
 */
function flippedAt(flip: Flip | undefined, { generation, previous }: Roll): number | undefined {
  return flip?.to === generation && flip.from === previous ? flip.at : undefined;
}

/** A change of the key's generation that a fact reports, milliseconds. */
export interface Flip {
  from: string | undefined;
  to: string | undefined;
  at: number;
}
export type Hinted = Writers & { flip: Flip | undefined };

/** What a fact says of the key's Secret. */
export function hintsOf(fact: Fact): Hinted {
  const isSeen = 'current' in fact && !fact.coverage.gap;
  const flip = isSeen
    ? { from: keyGeneration(fact.previous), to: keyGeneration(fact.current), at: Date.parse(fact.observedAt) }
    : undefined;
  return { ...writersOf(fact), flip };
}

const keyGeneration = (object: Record<string, unknown> | undefined): string | undefined =>
  (object?.metadata as { annotations?: Record<string, string> } | undefined)?.annotations?.[KEY];
