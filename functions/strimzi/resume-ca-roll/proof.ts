import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { annotation, type Entry, entriesOf, type Roll, TRUSTED } from './roll.ts';

/** Kubernetes notes whole seconds, cut off. */
const CUT = 1_000;
/** Trust is loaded at the start of a container: one that stays Ready has loaded it. */
const READY_FOR = 10_000;
/** So long after the bundle was there no clock and no kubelet's cache can be behind it any more. */
const CLEARLY_LATER = 10_000;

/** What the proof of one pod rests on. */
export type Proof = { uid: string; created: string; started: string; restartedForTrust: boolean };

interface Status {
  conditions?: { type: string; status: string; lastTransitionTime?: string }[];
  containerStatuses?: { name: string; ready?: boolean; state?: { running?: { startedAt?: string } } }[];
}
interface Spec {
  containers?: { name: string; volumeMounts?: { name: string }[] }[];
  volumes?: { name: string; secret?: { secretName?: string } }[];
}

/** Whether the operator told that it restarted a pod of this name to trust the new CA, after the bundle was there. */
export type Restarted = (pod: string) => Promise<boolean>;

/** Proves that a pod read the bundle that was there at `trustedAt`, or says why that is not proven. */
export async function prove(
  pod: KubernetesObject,
  roll: Roll,
  trustedAt: number,
  now: number,
  restarted: Restarted,
): Promise<Proof | string> {
  const { name, uid = '', creationTimestamp = '', deletionTimestamp } = pod.metadata;
  const spec = pod.spec as Spec | undefined;
  const { conditions = [], containerStatuses = [] } = (pod.status ?? {}) as Status;
  if (deletionTimestamp) return `${name} is being deleted`;
  if (annotation(pod, TRUSTED) !== roll.previous) return `${name} is marked with generation ${annotation(pod, TRUSTED)}`;
  const owner = ownedBy(pod, roll);
  if (owner) return `${name} ${owner}`;
  if (!mounts(spec, `${roll.key.metadata.name}-cert`)) return `${name} does not mount the Secret ${roll.key.metadata.name}-cert`;

  const created = Date.parse(creationTimestamp);
  const bundle = `the trust bundle was there at ${new Date(trustedAt).toISOString()}`;
  if (!(created >= trustedAt)) return `${name} was created at ${creationTimestamp}, and ${bundle}: it has not been rolled`;
  const starts = (spec?.containers ?? []).map((one) => containerStatuses.find((status) => status.name === one.name));
  const started = starts.map((status) => status?.state?.running?.startedAt ?? '').sort()[0] ?? '';
  if (starts.some((status) => !status?.ready || !status.state?.running?.startedAt)) return `${name} is still starting`;
  if (!(Date.parse(started) >= trustedAt)) return `${name} was started at ${started}, and ${bundle}`;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const readySince = ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') : Number.NaN;
  if (!(now - readySince >= READY_FOR + CUT)) return `${name} has not been Ready for ${READY_FOR / 1_000} s`;

  const isLate = Math.min(created, Date.parse(started)) >= trustedAt + CLEARLY_LATER;
  if (!isLate && !(await restarted(name))) {
    return `${name} was created at ${creationTimestamp}, ${bundle}, and the operator did not tell that it restarted it for that`;
  }
  return { uid, created: creationTimestamp, started, restartedForTrust: !isLate };
}

/** What is wrong with the owner; undefined when it is a StrimziPodSet whose entry is as old as the pod, or a Deployment's. */
function ownedBy({ metadata }: KubernetesObject, { podSets, previous }: Roll): string | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller) as { kind: string; uid?: string } | undefined;
  if (owner?.kind === 'ReplicaSet') return undefined;
  const podSet = podSets.find(({ metadata: { uid } }) => uid !== undefined && uid === owner?.uid);
  const entry = podSet && entriesOf([podSet]).find(({ name }) => name === metadata.name);
  if (!entry) return 'belongs to no StrimziPodSet of this cluster';
  return entry.trusts === previous ? undefined : `is to be of generation ${entry.trusts} by its StrimziPodSet: roll 2 has begun`;
}

const mounts = (spec: Spec | undefined, secretName: string): boolean => {
  const volumes = (spec?.volumes ?? []).filter(({ secret }) => secret?.secretName === secretName).map(({ name }) => name);
  return (spec?.containers ?? []).some(({ volumeMounts = [] }) => volumeMounts.some(({ name }) => volumes.includes(name)));
};

/** Pods that a StrimziPodSet wants and that are not there. */
export const missing = ({ pods, podSets }: Roll): Entry[] =>
  entriesOf(podSets).filter(({ name, trusts }) => trusts !== undefined && !pods.some(({ metadata }) => metadata.name === name));
