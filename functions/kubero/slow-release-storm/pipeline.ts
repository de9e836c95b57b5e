import { type Cluster, Doubt } from '../../../shared/cluster.ts';
import type { KubernetesObject, Reference } from '../../../shared/kubernetes/object.ts';

export const PIPELINES = { group: 'application.kubero.dev', version: 'v1alpha1', resource: 'kuberopipelines' };
/** The definition of that kind. */
export const CRD = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  name: 'kuberopipelines.application.kubero.dev',
};

/** The pipeline, or undefined when the API server says that it does not exist or that its kind is not installed. Throws Doubt. */
export async function pipelineOf(cluster: Cluster, reference: Reference): Promise<KubernetesObject | undefined> {
  try {
    return await cluster.get(reference);
  } catch (error) {
    // Every helm-operator makes releases. Where Kubero is not installed they are not about a pipeline.
    if (!(error instanceof Doubt) || (await cluster.get(CRD))) throw error;
    return undefined;
  }
}

/**
 * When the spec was last written, milliseconds, by the API server's clock: the newest managedFields entry that owns a field of it.
 * Undefined when no entry does. A later write of the same manager to another field moves it, too: later is the safe side.
 */
export function specWrittenAt({ metadata }: KubernetesObject): number | undefined {
  const owners = (metadata.managedFields ?? []).filter(({ fieldsV1, subresource }) => !subresource && fieldsV1?.['f:spec']);
  const times = owners.map(({ time = '' }) => Date.parse(time)).filter(Number.isFinite);
  return times.length > 0 ? Math.max(...times) : undefined;
}
