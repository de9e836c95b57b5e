/** Requests about the objects of `world.ts`, for tables of what is admitted and what is refused. */
export const CA = 'strimzi/resume-ca-roll';
export const CRDS = 'strimzi/upgrade-stale-crds';
export const OPS = 'kubeblocks/unstick-opsrequest';
export const STORM = 'kubero/slow-release-storm';
export const KEY = 'strimzi.io/cluster-ca-key-generation';
export const PODS = '/api/v1/namespaces/kafka/pods';
export const SETS = '/apis/core.strimzi.io/v1beta2/namespaces/kafka/strimzipodsets';
export const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const OPSREQUESTS = '/apis/operations.kubeblocks.io/v1alpha1/namespaces/kafka/opsrequests';
export const CLUSTERS = '/apis/apps.kubeblocks.io/v1/namespaces/kafka/clusters';
export const COMPONENTS = '/apis/apps.kubeblocks.io/v1/namespaces/kafka/components';
export const PIPELINES = '/apis/application.kubero.dev/v1alpha1/namespaces/kafka/kuberopipelines';

export interface Asked {
  method: 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
  contentType?: string;
}

export const merge = (path: string, body: unknown): Asked => ({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
export const json = (path: string, body: unknown): Asked => ({ method: 'PATCH', path, body, contentType: 'application/json-patch+json' });
export const create = (path: string, body: unknown): Asked => ({ method: 'POST', path, body });
export const remove = (path: string): Asked => ({ method: 'DELETE', path, body: { kind: 'DeleteOptions', apiVersion: 'v1' } });

export const annotation = (name: string, value: string | null) => ({ metadata: { annotations: { [name]: value } } });
export const containers = [{ name: 'kafka', image: 'good:1' }];
export const at = `/spec/pods/1/metadata/annotations/${KEY.replace('/', '~1')}`;
export const event = (reportingController: string) => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: `kafka.${reportingController.length}`, namespace: 'kafka' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  ...{ type: 'Normal', reason: 'FixApplied', action: 'Fix', reportingController, reportingInstance: 'kubemend' },
  regarding: { apiVersion: 'v1', kind: 'Pod', name: 'kafka-0', namespace: 'kafka' },
});
export const operation = (name: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'operations.kubeblocks.io/v1alpha1',
  kind: 'OpsRequest',
  metadata: { name, ...metadata },
  spec: { clusterName: 'orders', ...spec },
});
export const scaleOut = { offlineInstancesToOnline: ['orders-mysql-2'], replicaChanges: 1 };
export const incident = { annotations: { 'kubemend.dev/incident': '0123456789ab' } };
export const retry = (spec: object = {}, metadata: object = incident, name = 'out-retry') =>
  operation(
    name,
    {
      ...{ type: 'HorizontalScaling', preConditionDeadlineSeconds: 300 },
      horizontalScaling: [{ componentName: 'mysql', scaleOut }],
      ...spec,
    },
    metadata,
  );
export const SPEC_OF_SPEC = '/spec/versions/0/schema/openAPIV3Schema/properties/spec';

export const kafkas = `${CRD}/kafkas.kafka.strimzi.io`;

/** A row of a table: who asks, what for in words, and the request. */
export type Row = [remediation: string, what: string, asked: Asked];
