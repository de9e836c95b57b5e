import type { Collection, KubernetesObject } from './object.ts';

/** Secrets are never read whole, by nobody: what they hold stays in the cluster. */
export const isSecret = ({ group, resource }: Pick<Collection, 'group' | 'resource'>): boolean => group === '' && resource === 'secrets';

/** Accept headers for answers without bodies. They name no other form, so a server that does not know this one refuses (406) instead of sending everything. */
export const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
export const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** `kubectl apply` keeps the whole Secret, data included, in this annotation. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** A Secret as `examine` sees it, live or recorded. */
export function secretMetadata({ metadata }: KubernetesObject): KubernetesObject {
  const { [LAST_APPLIED]: _, ...annotations } = metadata.annotations ?? {};
  return { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, ...(metadata.annotations && { annotations }) } };
}
