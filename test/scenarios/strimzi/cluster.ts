import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import type { Connection } from '../../../shared/kubernetes/transport.ts';
import { type Admin, type Draft, RefusedError } from '../../control-plane/admin.ts';

export interface SeedOptions {
  /** Multi-document YAML of the CRDs that are installed. */
  crds: string;
  /** The Kafka's; created when it is missing. */
  namespace?: string;
  /** The operator's; created when it is missing. */
  operatorNamespace?: string;
  /** The operator's. */
  version?: string;
  /** When the operator's Deployment says it was rolled out; an hour ago when absent. Its creationTimestamp is the server's. */
  rolledOutAt?: Date;
}

const IDENTITY = 'strimzi-cluster-operator';

/** The CRDs of a Strimzi release as they are pinned in `artifacts/`: YAML with several documents. */
export async function readCrds(version: string): Promise<string> {
  const path = new URL(`../../../artifacts/strimzi/${version}.yaml.gz`, import.meta.url);
  return (await promisify(gunzip)(await readFile(path))).toString('utf8');
}

/** The documents of `yaml` as objects. */
export function parseCrds(yaml: string): Draft[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as Draft | null)
    .filter((document) => document?.kind === 'CustomResourceDefinition') as Draft[];
}

/** After `helm upgrade`: the new operator's Deployment and rights, the old release's CRDs, and one Kafka, `my-cluster`. */
export async function seedStaleCrds(admin: Admin, options: SeedOptions): Promise<void> {
  const { crds, namespace = 'kafka', operatorNamespace = 'strimzi', version = '0.43.0' } = options;
  await Promise.all(parseCrds(crds).map((crd) => admin.createCrd(crd)));
  await seedOperator(admin, operatorNamespace, version, options.rolledOutAt ?? new Date(Date.now() - 3_600_000));
  await createKafka(admin, { namespace });
}

/** How the operator connects: with a token of its ServiceAccount. `connection` says where to. */
export async function operatorConnection(admin: Admin, connection: Connection, operatorNamespace = 'strimzi'): Promise<Connection> {
  const token = await admin.serviceAccountToken(operatorNamespace, IDENTITY);
  return { ...connection, token: async () => token };
}

/** A Kafka in KRaft mode with one node pool of three nodes, as the operator left them. Creates the namespace when it is missing. */
export async function createKafka(admin: Admin, { namespace, name = 'my-cluster' }: { namespace: string; name?: string }): Promise<void> {
  await ensure(admin, '/api/v1/namespaces', { metadata: { name: namespace } });
  const kafka = `/apis/kafka.strimzi.io/v1beta2/namespaces/${namespace}`;
  const labels = { 'strimzi.io/cluster': name };
  const pool = await admin.create(`${kafka}/kafkanodepools`, {
    apiVersion: 'kafka.strimzi.io/v1beta2',
    kind: 'KafkaNodePool',
    metadata: { name: 'dual', labels },
    spec: {
      replicas: 3,
      roles: ['controller', 'broker'],
      storage: { type: 'jbod', volumes: [{ id: 0, type: 'persistent-claim', size: '10Gi', deleteClaim: false, kraftMetadata: 'shared' }] },
    },
  });
  const status = { nodeIds: [0, 1, 2], observedGeneration: 1, replicas: 3, roles: ['controller', 'broker'], conditions: [] };
  await admin.replace(`${kafka}/kafkanodepools/dual/status`, { ...pool, status });
  await admin.create(`/apis/core.strimzi.io/v1beta2/namespaces/${namespace}/strimzipodsets`, {
    apiVersion: 'core.strimzi.io/v1beta2',
    kind: 'StrimziPodSet',
    metadata: { name: `${name}-dual`, labels },
    spec: {
      selector: { matchLabels: labels },
      pods: [0, 1, 2].map((id) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `${name}-dual-${id}`, labels } })),
    },
  });
  await admin.create(`${kafka}/kafkas`, {
    apiVersion: 'kafka.strimzi.io/v1beta2',
    kind: 'Kafka',
    metadata: { name, annotations: { 'strimzi.io/kraft': 'enabled', 'strimzi.io/node-pools': 'enabled' } },
    spec: {
      kafka: {
        version: '3.8.0',
        metadataVersion: '3.8-IV0',
        config: { 'default.replication.factor': 3, 'min.insync.replicas': 2 },
        listeners: [
          { name: 'plain', port: 9092, type: 'internal', tls: false },
          { name: 'tls', port: 9093, type: 'internal', tls: true },
        ],
      },
    },
  });
}

/** The operator's Deployment, rolled out and settled, and its rights. */
export async function seedOperator(admin: Admin, namespace: string, version: string, rolledOutAt: Date): Promise<void> {
  await ensure(admin, '/api/v1/namespaces', { metadata: { name: namespace } });
  await ensure(admin, `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: IDENTITY, labels: { app: 'strimzi' } } });
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await ensure(admin, `${rbac}/clusterroles`, {
    metadata: { name: IDENTITY, labels: { app: 'strimzi' } },
    rules: [
      {
        apiGroups: ['kafka.strimzi.io', 'core.strimzi.io'],
        resources: ['*'],
        verbs: ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete'],
      },
    ],
  });
  await ensure(admin, `${rbac}/clusterrolebindings`, {
    metadata: { name: IDENTITY, labels: { app: 'strimzi' } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: IDENTITY },
    subjects: [{ kind: 'ServiceAccount', name: IDENTITY, namespace }],
  });
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const deployment = await admin.create(path, operatorDeployment(version));
  // No controller manager runs here: what it would say is written once.
  const at = rolledOutAt.toISOString().replace(/\.\d+/, '');
  const condition = { status: 'True', lastUpdateTime: at, lastTransitionTime: at };
  await admin.replace(`${path}/${IDENTITY}/status`, {
    ...deployment,
    status: {
      observedGeneration: 1,
      ...{ replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
      conditions: [
        { type: 'Available', reason: 'MinimumReplicasAvailable', ...condition },
        { type: 'Progressing', reason: 'NewReplicaSetAvailable', ...condition },
      ],
    },
  });
}

function operatorDeployment(version: string): Draft {
  const selector = { name: IDENTITY, 'strimzi.io/kind': 'cluster-operator' };
  const operator = `quay.io/strimzi/operator:${version}`;
  const images = ['3.7.0', '3.7.1', '3.8.0'].map((kafka) => `${kafka}=quay.io/strimzi/kafka:${version}-kafka-${kafka}\n`).join('');
  const env = [
    { name: 'STRIMZI_NAMESPACE', value: '*' },
    { name: 'STRIMZI_FULL_RECONCILIATION_INTERVAL_MS', value: '120000' },
    { name: 'STRIMZI_KAFKA_IMAGES', value: images },
    { name: 'STRIMZI_DEFAULT_KAFKA_INIT_IMAGE', value: operator },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: IDENTITY, labels: { app: 'strimzi' } },
    spec: {
      replicas: 1,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: selector },
        spec: {
          serviceAccountName: IDENTITY,
          containers: [{ name: IDENTITY, image: operator, args: ['/opt/strimzi/bin/cluster_operator_run.sh'], env }],
        },
      },
    },
  };
}

/** Creates it unless it is there. */
export async function ensure(admin: Admin, path: string, body: Draft): Promise<void> {
  await admin.create(path, body).catch((error) => {
    if (!(error instanceof RefusedError && error.status === 409)) throw error;
  });
}
