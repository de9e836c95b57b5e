import type { Connection } from '../../../shared/kubernetes/transport.ts';
import type { Admin, Doc } from '../../control-plane/admin.ts';
import { operatorConnection, parseCrds, readCrds } from './cluster.ts';

export const NAMESPACE = 'kafka';
export const OPERATOR_NAMESPACE = 'strimzi';
export const CLUSTER = 'my-cluster';
export const IDENTITY = 'strimzi-cluster-operator';
/** Where the objects live. */
export const PATHS = {
  secrets: `/api/v1/namespaces/${NAMESPACE}/secrets`,
  pods: `/api/v1/namespaces/${NAMESPACE}/pods`,
  podSet: `/apis/core.strimzi.io/v1beta2/namespaces/${NAMESPACE}/strimzipodsets/${CLUSTER}-dual`,
  events: `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`,
  leases: `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases`,
};
/** Annotations of pods and of their entries in the StrimziPodSet. */
export const TRUSTED = 'strimzi.io/cluster-ca-key-generation';
export const PRESENTED = 'strimzi.io/cluster-ca-cert-generation';

const LABELS = { 'strimzi.io/cluster': CLUSTER, 'strimzi.io/kind': 'Kafka' };

/** A pod as the StrimziPodSet holds it. */
export type PodTemplate = Doc & { metadata: { name: string; annotations: Record<string, string> } };
export const templatesOf = (podSet: Doc): PodTemplate[] => podSet.spec?.pods as PodTemplate[];

/** Creates the pod of an entry, owned by its set. */
export const createPod = (api: Admin, podSet: Doc, template: PodTemplate): Promise<Doc> => {
  const { name, uid } = podSet.metadata;
  const owner = { apiVersion: 'core.strimzi.io/v1beta2', kind: 'StrimziPodSet', name, uid, controller: true, blockOwnerDeletion: true };
  return api.create(PATHS.pods, { ...template, metadata: { ...template.metadata, ownerReferences: [owner] } });
};

/** A Kafka of three nodes with its CA at generation 0, as the operator `version` made it, and that operator's Deployment and rights. Gives how the operator connects. */
export async function seedCaCluster(admin: Admin, connection: Connection, version: string): Promise<Connection> {
  const wanted = ['kafkas.kafka.strimzi.io', 'strimzipodsets.core.strimzi.io'];
  const crds = parseCrds(await readCrds(version)).filter(({ metadata }) => wanted.includes(`${metadata?.name}`));
  await Promise.all(crds.map((crd) => admin.createCrd(crd)));
  for (const name of [NAMESPACE, OPERATOR_NAMESPACE]) await admin.create('/api/v1/namespaces', { metadata: { name } });
  await seedRights(admin);
  await admin.create(`/apis/apps/v1/namespaces/${OPERATOR_NAMESPACE}/deployments`, deployment(version));

  const kafkas = `/apis/kafka.strimzi.io/v1beta2/namespaces/${NAMESPACE}/kafkas`;
  const kafka = await admin.create(kafkas, {
    apiVersion: 'kafka.strimzi.io/v1beta2',
    kind: 'Kafka',
    metadata: { name: CLUSTER, annotations: { 'strimzi.io/kraft': 'enabled', 'strimzi.io/node-pools': 'enabled' } },
    spec: { kafka: { version: '3.8.0', listeners: [{ name: 'tls', port: 9093, type: 'internal', tls: true }] } },
  });
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
  await admin.replace(`${kafkas}/${CLUSTER}/status`, {
    ...kafka,
    status: { observedGeneration: 1, operatorLastSuccessfulVersion: version, conditions },
  });

  const owner = { apiVersion: 'kafka.strimzi.io/v1beta2', kind: 'Kafka', name: CLUSTER, uid: kafka.metadata.uid, controller: false };
  const secret = (name: string, annotations: Record<string, string>, files: string[]) =>
    admin.create(PATHS.secrets, {
      metadata: { name: `${CLUSTER}-${name}`, labels: LABELS, annotations, ownerReferences: [owner] },
      data: Object.fromEntries(files.map((file) => [file, ''])),
    });
  await secret('cluster-ca', { 'strimzi.io/ca-key-generation': '0' }, ['ca.key']);
  await secret('cluster-ca-cert', { 'strimzi.io/ca-cert-generation': '0' }, ['ca.crt']);
  await secret('clients-ca', { 'strimzi.io/ca-key-generation': '0' }, ['ca.key']);
  await secret('cluster-operator-certs', { [PRESENTED]: '0' }, ['cluster-operator.crt']);
  const podSet = await admin.create(PATHS.podSet.slice(0, PATHS.podSet.lastIndexOf('/')), {
    apiVersion: 'core.strimzi.io/v1beta2',
    kind: 'StrimziPodSet',
    metadata: { name: `${CLUSTER}-dual`, labels: LABELS },
    spec: { selector: { matchLabels: LABELS }, pods: [0, 1, 2].map((id) => template(`${CLUSTER}-dual-${id}`)) },
  });
  for (const one of templatesOf(podSet)) await createPod(admin, podSet, one);
  return operatorConnection(admin, connection, OPERATOR_NAMESPACE);
}

const template = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: LABELS, annotations: { [TRUSTED]: '0', [PRESENTED]: '0', 'strimzi.io/server-cert-hash': 'c61d0bf8' } },
  spec: {
    containers: [{ name: 'kafka', image: 'kafka', volumeMounts: [{ name: 'cluster-ca', mountPath: '/opt/kafka/cluster-ca-certs' }] }],
    volumes: [{ name: 'cluster-ca', secret: { secretName: `${CLUSTER}-cluster-ca-cert` } }],
  },
});

async function seedRights(admin: Admin): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await admin.create(`/api/v1/namespaces/${OPERATOR_NAMESPACE}/serviceaccounts`, { metadata: { name: IDENTITY } });
  await admin.create(`${rbac}/clusterroles`, {
    metadata: { name: IDENTITY },
    rules: [
      { apiGroups: ['kafka.strimzi.io', 'core.strimzi.io', 'coordination.k8s.io', 'events.k8s.io'], resources: ['*'], verbs: ['*'] },
      { apiGroups: [''], resources: ['pods', 'secrets'], verbs: ['*'] },
    ],
  });
  await admin.create(`${rbac}/clusterrolebindings`, {
    metadata: { name: IDENTITY },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: IDENTITY },
    subjects: [{ kind: 'ServiceAccount', name: IDENTITY, namespace: OPERATOR_NAMESPACE }],
  });
}

function deployment(version: string) {
  const selector = { name: IDENTITY };
  const own = { valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } };
  const env = [
    { name: 'STRIMZI_NAMESPACE', value: '*' },
    { name: 'STRIMZI_LEADER_ELECTION_ENABLED', value: 'true' },
    { name: 'STRIMZI_LEADER_ELECTION_LEASE_NAME', value: IDENTITY },
    { name: 'STRIMZI_LEADER_ELECTION_LEASE_NAMESPACE', ...own },
  ];
  const containers = [{ name: IDENTITY, image: `quay.io/strimzi/operator:${version}`, env }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: IDENTITY, labels: { app: 'strimzi' } },
    spec: { selector: { matchLabels: selector }, template: { metadata: { labels: selector }, spec: { containers } } },
  };
}
