import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { missing, type Proof, prove } from './proof.ts';
import { annotation, CERT, type Roll } from './roll.ts';
import { type Memory, readBundle, trustedAt } from './trust.ts';

/** Either every stale pod with its proof, or what is missing from the proof: one reason a line. */
export interface Findings {
  /** Milliseconds; absent when it is not known. */
  trustedAt?: number;
  proofs: Record<string, Proof>;
  unproven: string[];
  /** No look at this cluster will ever prove it. */
  hopeless: boolean;
}

/** Asks everything that has to hold before a pod may be called trusting: what is wrong here once is an outage later. */
export async function findUnproven(
  roll: Roll,
  kafka: KubernetesObject | undefined,
  memory: Memory,
  { cluster, now }: Examination,
): Promise<Findings> {
  const bundle = await readBundle(cluster, roll);
  const unproven = secretDoubts(roll, bundle, memory);
  const { clusterCa } = (kafka?.spec ?? {}) as { clusterCa?: { generateCertificateAuthority?: boolean } };
  if (clusterCa?.generateCertificateAuthority === false)
    unproven.push('the CA is not made by the operator, so its key and its bundle may change in any order');
  if (kafka && kafka.metadata.generation !== kafka.status?.observedGeneration)
    unproven.push('the Kafka resource was changed, and nobody has reconciled that yet');
  if (roll.number === 2) unproven.push('roll 2 has begun: the StrimziPodSets are of the new generation already');
  unproven.push(...missing(roll).map(({ name }) => `${name} is not there`));
  for (const { metadata } of [...roll.podSets, ...roll.pods]) {
    if (metadata.annotations?.['strimzi.io/manual-rolling-update'])
      unproven.push(`somebody asked the operator to restart ${metadata.name}`);
  }
  const since = trustedAt(roll, bundle);
  if (typeof since === 'string') return { proofs: {}, unproven: [since, ...unproven], hopeless: true };
  const restarts = lazily(() => restartsForTrust(roll, since, now, cluster));
  const proofs: Record<string, Proof> = {};
  for (const pod of roll.stale) {
    const proof = await prove(pod, roll, since, now, async (name) => (await restarts()).has(name));
    if (typeof proof === 'string') unproven.push(proof);
    else proofs[pod.metadata.name] = proof;
  }
  return { trustedAt: since, proofs, unproven, hopeless: false };
}

function secretDoubts({ key, generation }: Roll, bundle: KubernetesObject | undefined, { certificate }: Memory): string[] {
  const asked = [key, bundle].filter((one) => annotation(one, 'strimzi.io/force-replace') || annotation(one, 'strimzi.io/force-renew'));
  const doubts = asked.map((one) => `another replacement is asked for on the Secret ${one?.metadata.name}`);
  const now = annotation(bundle, CERT);
  if (now === undefined || now !== certificate) doubts.push(`the trust bundle changed again since key generation ${generation} came`);
  // Only names: `metadata.managedFields` lists the keys of `data`, and an old certificate is kept as `ca-<date>.crt`.
  const fields = (bundle?.metadata.managedFields ?? []).flatMap(({ fieldsV1 = {} }) =>
    Object.keys((fieldsV1['f:data'] as object | undefined) ?? {}),
  );
  if (!fields.some((field) => /^f:ca-.+\.crt$/.test(field))) doubts.push('the trust bundle no longer holds the old certificate');
  return doubts;
}

/** What Strimzi writes into the Events of a restart (`KubernetesRestartEventPublisher`). */
const OPERATOR = { reportingController: 'strimzi.io/cluster-operator', action: 'StrimziInitiatedPodRestart' };
/** The operator deletes a pod and then writes the Event: a pod that was created earlier than this before it is not the one that came of it. */
const AFTER_CREATION = 5_000;

/**
 * The pods that the operator says it restarted to trust the new CA. Whoever may create Events can write the same, so an Event alone proves
 * nothing: the live times have to prove the same, and it only replaces the 10 s of distance between them.
 */
async function restartsForTrust(roll: Roll, trustedAt: number, now: number, cluster: Examination['cluster']): Promise<Set<string>> {
  const { namespace } = roll.key.metadata;
  const events = await cluster.list({ group: 'events.k8s.io', version: 'v1', resource: 'events', namespace });
  const isOfRestart = (event: KubernetesObject, { metadata }: KubernetesObject): boolean => {
    const { kind, name, namespace: where, uid } = (event.regarding ?? {}) as Record<string, unknown>;
    const at = Date.parse(`${event.eventTime}`);
    const latest = Math.min(now, Date.parse(metadata.creationTimestamp ?? '') + AFTER_CREATION);
    const isOperators = Object.entries(OPERATOR).every(([field, value]) => event[field] === value);
    const isAboutPod = kind === 'Pod' && name === metadata.name && where === namespace;
    // It is about the pod that was deleted; Strimzi leaves the UID out.
    const isOfDeleted = uid === undefined || uid !== metadata.uid;
    return event.reason === 'ClusterCaCertKeyReplaced' && isOperators && isAboutPod && isOfDeleted && at >= trustedAt && at <= latest;
  };
  return new Set(roll.stale.filter((pod) => events.some((event) => isOfRestart(event, pod))).map(({ metadata }) => metadata.name));
}

const lazily = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
