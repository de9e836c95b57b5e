import * as z from 'zod';
import type { Cluster } from '../../../shared/cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import type { Fact } from '../../../shared/remediation.ts';

/** One revision of a Helm release. `at`: when its Secret was created, milliseconds in whole seconds, by the API server's clock. */
export interface Revision {
  version: number;
  at: number;
}

const labelled = z.object({ metadata: z.object({ labels: z.object({ name: z.string().min(1) }) }) });

/** The release a fact about a Secret claims to be about; undefined for every other fact. */
export function releaseNamedBy(fact: Fact): string | undefined {
  const parsed = 'current' in fact && fact.object.resource === 'secrets' ? labelled.safeParse(fact.current) : undefined;
  return parsed?.success ? parsed.data.metadata.labels.name : undefined;
}

/**
 * The revisions of a release that exist now, oldest first. helm-operator keeps the deployed one and those that the newest
 * reconciliation made, so there are seldom more than two. Rights: `list` on Secrets; only their metadata is requested.
 */
export async function liveRevisions(
  cluster: Cluster,
  { namespace, name }: { namespace?: string | undefined; name: string },
): Promise<Revision[]> {
  const secrets = await cluster.list({
    group: '',
    version: 'v1',
    resource: 'secrets',
    namespace,
    labelSelector: `owner=helm,name=${name}`,
  });
  return secrets.flatMap((secret) => revisionOf(secret, name)).sort((a, b) => a.version - b.version);
}

/** A Secret whose name and labels agree, that helm-operator alone wrote, as far as field managers can say: they are a claim. */
function revisionOf({ metadata }: KubernetesObject, release: string): Revision[] {
  const { name, labels = {}, managedFields = [], creationTimestamp = '', deletionTimestamp } = metadata;
  const [, version] = /\.v([1-9]\d*)$/.exec(name) ?? [];
  const at = Date.parse(creationTimestamp);
  const consistent = name === `sh.helm.release.v1.${release}.v${version}` && labels.version === version;
  const ours = labels.owner === 'helm' && labels.name === release;
  const byOperator = managedFields.length > 0 && managedFields.every(({ manager }) => manager === 'helm-operator');
  return consistent && ours && byOperator && Number.isFinite(at) && !deletionTimestamp ? [{ version: Number(version), at }] : [];
}
