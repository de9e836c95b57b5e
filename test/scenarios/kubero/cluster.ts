import type { Connection } from '../../../shared/kubernetes/transport.ts';
import { type Admin, type Doc, type Draft, RefusedError } from '../../control-plane/admin.ts';
import { base64 } from './chart.ts';

const SYSTEM = 'kubero-operator-system';
const IDENTITY = 'kubero-operator-controller-manager';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
/** Where the pipeline of a scenario is. */
export const PIPELINE = '/apis/application.kubero.dev/v1alpha1/namespaces/kubero/kuberopipelines/checkout';
/** Every credential that is seeded begins so: found anywhere else, it leaked. */
export const MARKER = 'hunter2-';

export interface SeedOptions {
  /** The operator's image tag without `v`. */
  version?: string;
  /** The annotation that is there already. */
  period?: string;
  /** `spec.registry.createSecret` */
  createSecret?: string;
}

/** A Kubero installation: CRD, operator Deployment and rights, registry-login, and the pipeline `checkout` with two phases. */
export async function seedKubero(admin: Admin, { version = '0.2.1', period, createSecret = 'copy' }: SeedOptions): Promise<void> {
  await admin.createCrd(crd());
  for (const name of [SYSTEM, 'kubero']) await ensure(admin, '/api/v1/namespaces', { metadata: { name } });
  await ensure(admin, `/api/v1/namespaces/${SYSTEM}/serviceaccounts`, { metadata: { name: IDENTITY } });
  const rules = [
    { apiGroups: [''], resources: ['secrets', 'namespaces'], verbs: ['*'] },
    { apiGroups: ['application.kubero.dev'], resources: ['*'], verbs: ['*'] },
  ];
  await ensure(admin, `${RBAC}/clusterroles`, { metadata: { name: IDENTITY }, rules });
  await ensure(admin, `${RBAC}/clusterrolebindings`, {
    metadata: { name: IDENTITY },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: IDENTITY },
    subjects: [{ kind: 'ServiceAccount', name: IDENTITY, namespace: SYSTEM }],
  });
  await ensure(admin, `/apis/apps/v1/namespaces/${SYSTEM}/deployments`, deployment(version));
  await ensure(admin, '/api/v1/namespaces/kubero/secrets', registryLogin());
  await admin.create('/apis/application.kubero.dev/v1alpha1/namespaces/kubero/kuberopipelines', pipeline(createSecret, period));
}

/** How the operator connects: with a token of its ServiceAccount. */
export async function operatorConnection(admin: Admin, connection: Connection): Promise<Connection> {
  const token = await admin.serviceAccountToken(SYSTEM, IDENTITY);
  return { ...connection, token: async () => token };
}

/** The newest revision of the pipeline's release. */
export async function newestVersion(admin: Admin): Promise<number> {
  const releases: Doc[] = await admin.list('/api/v1/namespaces/kubero/secrets?labelSelector=owner%3Dhelm%2Cname%3Dcheckout');
  return Math.max(0, ...releases.map(({ metadata }) => Number(metadata.labels?.version)));
}

/** The CRD as Kubero ships it: spec and status are not validated. */
function crd(): Draft {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'kuberopipelines.application.kubero.dev' },
    spec: {
      group: 'application.kubero.dev',
      scope: 'Namespaced',
      names: { kind: 'KuberoPipeline', listKind: 'KuberoPipelineList', plural: 'kuberopipelines', singular: 'kuberopipeline' },
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

function deployment(version: string): Draft {
  const labels = { 'control-plane': 'controller-manager' };
  const image = `ghcr.io/kubero-dev/kubero-operator/kuberoapp:v${version}`;
  return {
    metadata: { name: IDENTITY, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { serviceAccountName: IDENTITY, containers: [{ name: 'manager', image }] } },
    },
  };
}

/** As the Kubero chart makes it of `registry.account`. */
function registryLogin(): Draft {
  const [username, password] = [`${MARKER}USER`, `${MARKER}PASSWORD`];
  const config = JSON.stringify({ auths: { 'registry.example': { username, password } } });
  const data = { username: base64(username), password: base64(password), '.dockerconfigjson': base64(config) };
  return { metadata: { name: 'registry-login' }, type: 'Opaque', data };
}

function pipeline(createSecret: string, period: string | undefined): Draft {
  const spec = {
    name: 'checkout',
    deploymentstrategy: 'git',
    git: { provider: 'github', keys: { priv: base64(`${MARKER}DEPLOYKEY`) }, repository: { ssh_url: 'git@git.example:shop/checkout.git' } },
    phases: ['review', 'test', 'stage', 'production'].map((name, index) => ({ name, enabled: index > 1, context: '' })),
    registry: { createSecret, host: 'registry.example', username: `${MARKER}USER`, password: `${MARKER}PASSWORD` },
  };
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec }),
    ...(period && { 'helm.sdk.operatorframework.io/reconcile-period': period }),
  };
  return { apiVersion: 'application.kubero.dev/v1alpha1', kind: 'KuberoPipeline', metadata: { name: 'checkout', annotations }, spec };
}

/** Creates it unless it is there. */
async function ensure(admin: Admin, path: string, body: Draft): Promise<void> {
  await admin.create(path, body).catch((error) => {
    if (!(error instanceof RefusedError && error.status === 409)) throw error;
  });
}
