import { identityOf, remediationRbac } from '../../../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../../../infra/remediations.ts';
import { Transport } from '../../../shared/kubernetes/transport.ts';
import { Admin, type Draft } from '../../control-plane/admin.ts';
import { startControlPlane } from '../../control-plane/control-plane.ts';
import { grantAll, install } from '../../control-plane/rights.ts';
import { kubeBlocksCrds } from '../../scenarios/kubeblocks/crds.ts';
import { parseCrds, readCrds } from '../../scenarios/strimzi/cluster.ts';
import { type Asked, CLUSTERS, COMPONENTS, containers, incident, KEY, OPSREQUESTS, operation, PIPELINES, retry, SETS } from './requests.ts';

/** Has the roles of every remediation and no policy. */
export const UNBOUND = 'same-rights';

/** Streams are granted for named pods only. */
const PINS = Object.fromEntries(['zookeeper-pods', 'zookeeper-exec-pods'].map((pin) => [pin, [{ namespace: 'kafka', name: 'kafka-0' }]]));

/** A control plane with the generated rights and policies, and one object of every kind that a remediation writes. */
export interface AdmissionWorld {
  admin: Admin;
  /** Sends a request as a user, without storing anything: `admitted`, or the status and message. */
  ask(user: string, asked: Asked): Promise<string>;
  stop(): Promise<void>;
}

export async function startAdmissionWorld(): Promise<AdmissionWorld> {
  const remediations = await loadRemediations();
  const plane = await startControlPlane({ users: [...remediations.map(({ name }) => ({ name: identityOf(name) })), { name: UNBOUND }] });
  const admin = new Admin(plane.connection('admin', 'test'));
  for (const namespace of ['kafka', 'kube-system'])
    await admin.create('/api/v1/namespaces', { metadata: { name: namespace } }).catch(() => undefined);
  const definitions = [
    ...parseCrds(await readCrds('0.43.0')),
    ...kubeBlocksCrds('1.x'),
    open('core.strimzi.io', 'v1beta2', 'StrimziPodSet', 'strimzipodsets'),
    open('application.kubero.dev', 'v1alpha1', 'KuberoPipeline', 'kuberopipelines'),
  ];
  for (const crd of definitions) await admin.applyCrd(crd);
  await grantAll(admin, remediations, { pins: PINS }, (identity) => plane.connection(identity, 'test'));
  for (const one of remediations) {
    const as = { ...one, name: `unbound/${one.name.replace('/', '-')}` };
    await install(admin, remediationRbac(as, { subject: { kind: 'User', name: UNBOUND }, pins: PINS }));
  }
  await seed(admin);
  const transports = new Map<string, Transport>();
  return {
    admin,
    async ask(user, { method, path, body, contentType }) {
      const transport = transports.get(user) ?? new Transport(plane.connection(user, 'test'));
      transports.set(user, transport);
      // A stream has no dry run, and stores nothing.
      const query = path.includes('/exec?') ? '' : `${path.includes('?') ? '&' : '?'}dryRun=All&fieldManager=kubemend`;
      const all = method === 'DELETE' ? { ...(body as object), dryRun: ['All'] } : body;
      const answer = await transport.send({
        ...{ method, path: method === 'DELETE' ? path : `${path}${query}`, body: all },
        ...(contentType && { contentType }),
      });
      const { message = '' } = (answer.body ?? {}) as { message?: string };
      return answer.status < 300 ? 'admitted' : `${answer.status} ${message}`;
    },
    async stop() {
      for (const transport of transports.values()) transport.close();
      admin.close();
      await plane.stop();
    },
  };
}

async function seed(admin: Admin): Promise<void> {
  for (const namespace of ['kafka', 'kube-system']) {
    await admin.create(`/api/v1/namespaces/${namespace}/pods`, {
      metadata: { name: 'kafka-0', annotations: { [KEY]: '0' }, labels: { app: 'kafka' } },
      spec: { automountServiceAccountToken: false, containers },
    });
  }
  const pods = ['kafka-0', 'kafka-1'].map((name) => ({
    metadata: { name, annotations: { [KEY]: '0', other: 'a' } },
    spec: { containers },
  }));
  await admin.create(SETS, { apiVersion: 'core.strimzi.io/v1beta2', kind: 'StrimziPodSet', metadata: { name: 'kafka' }, spec: { pods } });
  await admin.create(PIPELINES, {
    apiVersion: 'application.kubero.dev/v1alpha1',
    kind: 'KuberoPipeline',
    metadata: { name: 'shop' },
    spec: { registry: { createSecret: 'copy' } },
  });
  await admin.create(CLUSTERS, {
    apiVersion: 'apps.kubeblocks.io/v1',
    kind: 'Cluster',
    metadata: { name: 'orders' },
    spec: {
      terminationPolicy: 'Halt',
      componentSpecs: [{ name: 'mysql', replicas: 2, componentDef: 'mysql-8.0', instances: [{ name: 'big', replicas: 1 }] }],
    },
  });
  await admin.create(COMPONENTS, {
    apiVersion: 'apps.kubeblocks.io/v1',
    kind: 'Component',
    metadata: {
      name: 'orders-mysql',
      annotations: { 'kubeblocks.io/restore-done': 'true', 'kubeblocks.io/restore-from-backup': '{"mysql":{"name":"a"}}' },
    },
    spec: {},
  });
  for (const [name, type, phase] of [
    ['out', 'HorizontalScaling', 'Running'],
    ['restore', 'Restore', 'Creating'],
    ['restart', 'Restart', 'Running'],
    ['scale', 'VerticalScaling', 'Running'],
  ]) {
    await admin.create(OPSREQUESTS, operation(`${name}`, { type }));
    await admin.patch(`${OPSREQUESTS}/${name}/status`, 'merge', { status: { phase } });
  }
  await admin.create(OPSREQUESTS, retry({}, incident, 'made-retry'));
}

/** A definition whose schema takes anything. */
const open = (group: string, version: string, kind: string, plural: string): Draft => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
