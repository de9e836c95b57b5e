import type { Actor } from '../../events/writes-counted.ts';
import type { Cluster } from '../../shared/cluster.ts';
import { milliseconds } from '../../shared/duration.ts';
import { allLive } from '../../shared/evidence.ts';
import type { KubernetesObject } from '../../shared/kubernetes/object.ts';
import { changedWithin } from '../../shared/kubernetes/recent.ts';
import type { Examination, Fact } from '../../shared/remediation.ts';
import { report, type Verdict, wait } from '../../shared/verdict.ts';

const USER_AGENT = /^strimzi-cluster-operator\/(\d+\.\d+\.\d+)/;
const IMAGE = /\/operator:(\d+\.\d+\.\d+)$/;

/** Who wrote the object, as a fact reports it from the audit log. */
export interface Writers {
  actors: Actor[];
}

/** The writers that a fact names; none where nothing was counted. */
export const writersOf = (fact: Fact): Writers => ({ actors: 'actors' in fact ? fact.actors : [] });

/** The version of the one Strimzi operator that writes `kafka`, or why that is not certain: two operators, an upgrade in flight, nobody named. */
export async function operatorVersion(kafka: KubernetesObject, examination: Examination<Writers>): Promise<string | Verdict> {
  const { hints, cluster, now } = examination;
  const actors = hints.actors.claimed().filter(({ userAgent }) => USER_AGENT.test(userAgent));
  const writing = distinct(actors.map(({ userAgent }) => USER_AGENT.exec(userAgent)?.[1]));
  const pods = distinct(actors.map(({ pod }) => pod));
  const deployments = await operators(cluster);
  const deployed = distinct(deployments.map(imageVersion));
  if (deployed.length > 1) return report('more than one Strimzi operator is deployed', { evidence: allLive({ versions: deployed }) });
  // A restart or an upgrade leaves two names in the window for as long as it reaches back; two operators never stop.
  if (writing.length > 1 || pods.length > 1) {
    return undecided(`more than one operator wrote here: ${[...writing, ...pods].join(', ')}`, examination);
  }
  if (deployments.some((deployment) => isRolling(deployment) || changedWithin(deployment, '5m', now))) {
    return undecided('the operator is being upgraded, and its CRDs are usually applied next', examination);
  }
  const [version] = writing.length > 0 ? writing : deployed;
  // Without audit nobody named the writer: the image and what the operator wrote of itself have to agree.
  if (version === undefined || (writing.length === 0 && kafka.status?.operatorLastSuccessfulVersion !== version)) {
    return undecided('nobody is named as the writer, and the operator version has no second proof', examination);
  }
  if (deployed.some((other) => other !== version)) {
    return undecided(`the operator that writes is ${version}, the one deployed ${deployed.join(', ')}`, examination);
  }
  return version;
}

/** Waits for 15 minutes after detection, then tells a person. */
function undecided(because: string, { incident, now }: Examination): Verdict {
  return now - incident.detectedAt < milliseconds('15m') ? wait(because, '15s') : report(because);
}

async function operators(cluster: Cluster): Promise<KubernetesObject[]> {
  const all = await cluster.list({ group: 'apps', version: 'v1', resource: 'deployments', labelSelector: 'app=strimzi' });
  return all.filter((deployment) => imageVersion(deployment) !== undefined);
}

/** The version of the operator that a Deployment runs; undefined where its image names none. */
export function imageVersion({ spec }: KubernetesObject): string | undefined {
  const { containers = [] } = (spec?.template as { spec?: { containers?: { image?: string }[] } } | undefined)?.spec ?? {};
  return distinct(containers.map(({ image = '' }) => IMAGE.exec(image)?.[1]))[0];
}

const isRolling = ({ metadata, spec, status }: KubernetesObject): boolean =>
  status?.observedGeneration !== undefined &&
  (status.observedGeneration !== metadata.generation || Number(status.updatedReplicas ?? 0) < Number(spec?.replicas ?? 1));

const distinct = (values: (string | undefined)[]): string[] => [...new Set(values.filter((value) => value !== undefined))].sort();
