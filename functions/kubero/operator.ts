import type { Cluster } from '../../shared/cluster.ts';
import type { KubernetesObject } from '../../shared/kubernetes/object.ts';

/** Registries differ, the repository does not; tags are `v0.2.1`, `v0.1.4-rc.5`. */
const IMAGE = /\/kubero-operator\/kuberoapp:v?(\d+\.\d+\.\d+[^@]*)/;

/** The versions of all Kubero operators that are deployed, each once. Rights: `list` on Deployments. */
export async function operatorVersions(cluster: Cluster): Promise<string[]> {
  const collection = { group: 'apps', version: 'v1', resource: 'deployments', labelSelector: 'control-plane=controller-manager' };
  return [...new Set((await cluster.list(collection)).flatMap(versionsIn))].sort();
}

function versionsIn({ spec }: KubernetesObject): string[] {
  const { containers = [] } = (spec?.template as { spec?: { containers?: { image?: string }[] } } | undefined)?.spec ?? {};
  return containers.flatMap(({ image = '' }) => IMAGE.exec(image)?.[1] ?? []);
}
