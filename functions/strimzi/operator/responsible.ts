import type { Cluster } from '../../../shared/cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { readOperators, type Setting, settingOf } from './deployments.ts';

/** The operators of a namespace, as the Deployments in the cluster say. */
export interface Responsible {
  /** Run, and watch the namespace or may watch it. */
  operators: KubernetesObject[];
  /** Those of `operators` whose setting cannot be read, so that they only may watch it. */
  unsure: KubernetesObject[];
  /** Watch the namespace, or may watch it, but run no pod now. */
  stopped: KubernetesObject[];
  /** Run, but watch other namespaces only. */
  elsewhere: KubernetesObject[];
}

/** Whether an operator with this setting reconciles a namespace. */
type Watches = 'yes' | 'no' | 'unknown';

/** The list of namespaces that Strimzi accepts (`ClusterOperatorConfig.parseNamespaceList`); it refuses to start with any other. */
const LIST = /^\s*[a-z0-9.-]+\s*(,\s*[a-z0-9.-]+\s*)*$/;

/** Finds the recognised operators that are responsible for a namespace. Rights: `list` on Deployments of the cluster. */
export async function responsibleFor(cluster: Cluster, namespace: string): Promise<Responsible> {
  const judged = (await readOperators(cluster)).map((deployment) => ({
    deployment,
    watches: watches(settingOf(deployment, 'STRIMZI_NAMESPACE'), namespace),
    runs: isRunning(deployment),
  }));
  const elsewhere = judged.filter(({ watches, runs }) => watches === 'no' && runs);
  const chosen = judged.filter(({ watches }) => watches !== 'no');
  const running = chosen.filter(({ runs }) => runs);
  return {
    operators: running.map(({ deployment }) => deployment),
    unsure: running.filter(({ watches }) => watches === 'unknown').map(({ deployment }) => deployment),
    stopped: chosen.filter(({ runs }) => !runs).map(({ deployment }) => deployment),
    elsewhere: elsewhere.map(({ deployment }) => deployment),
  };
}

/** Not set, empty and `*` are every namespace, as Strimzi reads them; a value that it refuses is none. */
function watches(setting: Setting, namespace: string): Watches {
  if (setting === 'elsewhere') return 'unknown';
  const value = setting?.value.trim() ?? '';
  if (value === '' || value === '*') return 'yes';
  return LIST.test(value) && value.split(',').some((one) => one.trim() === namespace) ? 'yes' : 'no';
}

/** False when it is scaled to zero, or its controller reports no pod; the API server leaves out a count of zero. */
function isRunning({ spec, status = {} }: KubernetesObject): boolean {
  const reports = status.observedGeneration !== undefined || status.replicas !== undefined;
  const pods = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'].some((count) => Number(status[count] ?? 0) > 0);
  return spec?.replicas !== 0 && (pods || !reports);
}
