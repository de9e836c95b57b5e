import { apiPath } from '../../events/api-path.ts';

/** A Kubernetes object as the API server sends it; fields beyond the metadata are the caller's to check. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; controller?: boolean }[];
  managedFields?: ManagedField[];
  [field: string]: unknown;
}

export interface ManagedField {
  manager?: string;
  operation?: string;
  subresource?: string;
  time?: string;
  fieldsV1?: Record<string, unknown>;
}

/** Names one object. `version` is the API version to speak, `''` the core group. */
export interface Reference {
  group: string;
  version: string;
  resource: string;
  namespace?: string | undefined;
  name: string;
}

/** Names the objects of one kind, in one namespace or everywhere. */
export interface Collection {
  group: string;
  version: string;
  resource: string;
  namespace?: string | undefined;
  /** `app=strimzi` */
  labelSelector?: string;
}

/** The path of one object or collection in the API, or of a subresource. Throws InvalidPathError, which leaves the question unanswered. */
export const pathOf = ({ group, version, resource, namespace }: Collection, name?: string, subresource?: string): string =>
  apiPath({ group, version, resource, namespace: namespace || undefined, name, subresource });

/** `kafkas kafka/my-cluster`, for people. */
export const nameOf = ({ resource, namespace, name }: { resource: string; namespace?: string | undefined; name: string }): string =>
  `${resource} ${namespace ? `${namespace}/` : ''}${name}`;
