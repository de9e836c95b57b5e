import type { Connection } from '../../../shared/kubernetes/transport.ts';
import { type Admin, type Draft, RefusedError } from '../../control-plane/admin.ts';
import type { Release } from './arithmetic.ts';
import { kubeBlocksCrds } from './crds.ts';

/** Where the objects of one release live. */
export interface Paths {
  ops: string;
  clusters: string;
  components: string;
  instanceSets: string;
  pods: string;
  /** `apiVersion` of operations and of Clusters. */
  opsVersion: string;
  appsVersion: string;
  workloadsVersion: string;
}

const IDENTITY = 'kubeblocks';
const SYSTEM = 'kb-system';

/** The paths of the collections in `namespace`, in the API generation of `release`. */
export function pathsOf(release: Release, namespace: string): Paths {
  const old = release.startsWith('0.9');
  const version = old ? 'v1alpha1' : 'v1';
  const opsVersion = old ? 'apps.kubeblocks.io/v1alpha1' : 'operations.kubeblocks.io/v1alpha1';
  const of = (groupVersion: string, plural: string): string => `/apis/${groupVersion}/namespaces/${namespace}/${plural}`;
  const appsVersion = `apps.kubeblocks.io/${version}`;
  const workloadsVersion = `workloads.kubeblocks.io/${version}`;
  return {
    ...{ opsVersion, appsVersion, workloadsVersion },
    ops: of(opsVersion, 'opsrequests'),
    clusters: of(appsVersion, 'clusters'),
    components: of(appsVersion, 'components'),
    instanceSets: of(workloadsVersion, 'instancesets'),
    pods: `/api/v1/namespaces/${namespace}/pods`,
  };
}

/** Installs KubeBlocks' definitions, its identity and the namespace. Gives how the controller connects. */
export async function installKubeBlocks(admin: Admin, connection: Connection, release: Release, namespace: string): Promise<Connection> {
  await Promise.all(kubeBlocksCrds(release.startsWith('0.9') ? '0.9' : '1.x').map((crd) => admin.createCrd(crd)));
  for (const name of [namespace, SYSTEM]) await ensure(admin, '/api/v1/namespaces', { metadata: { name } });
  await ensure(admin, `/api/v1/namespaces/${SYSTEM}/serviceaccounts`, { metadata: { name: IDENTITY } });
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await ensure(admin, `${rbac}/clusterroles`, {
    metadata: { name: IDENTITY },
    rules: [
      { apiGroups: ['apps.kubeblocks.io', 'operations.kubeblocks.io', 'workloads.kubeblocks.io'], resources: ['*'], verbs: ['*'] },
      { apiGroups: [''], resources: ['pods', 'pods/status'], verbs: ['*'] },
    ],
  });
  await ensure(admin, `${rbac}/clusterrolebindings`, {
    metadata: { name: IDENTITY },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: IDENTITY },
    subjects: [{ kind: 'ServiceAccount', name: IDENTITY, namespace: SYSTEM }],
  });
  const token = await admin.serviceAccountToken(SYSTEM, IDENTITY);
  return { ...connection, token: async () => token };
}

/** A Cluster `kafka` with one component `broker`, as a person makes it. */
export const kafkaCluster = (paths: Paths, componentDef = 'kafka-broker-1.0.0'): Draft => ({
  apiVersion: paths.appsVersion,
  kind: 'Cluster',
  metadata: { name: 'kafka' },
  spec: {
    terminationPolicy: 'Delete',
    componentSpecs: [{ name: 'broker', componentDef, replicas: 3, resources: { limits: { cpu: '1', memory: '1Gi' } } }],
  },
});

/** An operation on the broker of `kafka`, as a person makes it. */
export const scaleBroker = (paths: Paths, name: string, change: Record<string, unknown>, spec: Record<string, unknown> = {}): Draft => ({
  apiVersion: paths.opsVersion,
  kind: 'OpsRequest',
  metadata: { name },
  spec: { clusterName: 'kafka', type: 'HorizontalScaling', horizontalScaling: [{ componentName: 'broker', ...change }], ...spec },
});

async function ensure(admin: Admin, path: string, body: Draft): Promise<void> {
  await admin.create(path, body).catch((error) => {
    if (!(error instanceof RefusedError && error.status === 409)) throw error;
  });
}
