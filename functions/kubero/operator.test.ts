import { describe, expect, it } from '@jest/globals';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import type { KubernetesObject } from '../../shared/kubernetes/object.ts';
import { MemoryCluster } from '../../test/memory-cluster.ts';
import { memoryArtifacts } from '../../test/toy-world.ts';
import { kuberoOperators } from './operator.ts';

interface Installation {
  image: string;
  name?: string;
  namespace?: string;
  args?: string[];
  serviceAccountName?: string;
  replicas?: number;
  status?: Record<string, unknown>;
  labels?: Record<string, string>;
  env?: object[];
  envFrom?: object[];
}

const NAME = 'kubero-operator-controller-manager';
const official = { name: NAME, namespace: 'kubero-operator-system', serviceAccountName: NAME };

const LABELS = { 'control-plane': 'controller-manager' };
const installed = (installation: Installation) => {
  const { image, name = 'manager', namespace = 'tools', labels = LABELS } = installation;
  const { args = [], env, envFrom, serviceAccountName, replicas, status } = installation;
  const manager = { image, args, ...(env && { env }), ...(envFrom && { envFrom }) };
  return {
    metadata: { name, namespace, labels },
    spec: {
      ...(replicas !== undefined && { replicas }),
      template: { spec: { ...(serviceAccountName && { serviceAccountName }), containers: [{ image: 'proxy:v1' }, manager] } },
    },
    ...(status && { status }),
  } as KubernetesObject;
};

async function recognised(installation: Installation) {
  const deployment = installed(installation);
  const { namespace, name } = deployment.metadata;
  const cluster = new MemoryCluster(['/apis/apps/v1/deployments'], Date.now);
  cluster.create(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, deployment);
  const [operator] = await kuberoOperators(new LiveCluster('test', cluster, memoryArtifacts()), 'shop');
  return operator;
}

describe('the Kubero operator', () => {
  it.each<[string, Installation, string | undefined]>([
    ['the published image', { image: 'ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.1' }, '0.2.1'],
    ['a release candidate', { image: 'ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.1.4-rc.5' }, '0.1.4-rc.5'],
    ['a mirror with a port', { image: 'registry.local:5000/kubero-dev/kubero-operator/kuberoapp:v0.2.1' }, '0.2.1'],
    ['a mirror that renames the path', { image: 'registry.local/kuberoapp:v0.2.1', name: NAME }, '0.2.1'],
    ['a renamed path, known by its namespace', { image: 'registry.local/kuberoapp:0.2.1', namespace: 'kubero-operator-system' }, '0.2.1'],
    ['a renamed path, known by its argument', { image: 'a/kuberoapp:v0.2.1', args: ['--leader-election-id=kubero-operator'] }, '0.2.1'],
    ['a tag with a digest', { image: `ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.1@sha256:${'a'.repeat(64)}` }, '0.2.1'],
    ['a digest alone', { image: `ghcr.io/kubero-dev/kubero-operator/kuberoapp@sha256:${'a'.repeat(64)}` }, undefined],
    ['a suffix of a vendor', { image: 'registry.local/kuberoapp:v0.2.1-acme.3', name: NAME }, undefined],
    ['latest', { image: 'registry.local/kuberoapp:latest', name: NAME }, undefined],
    ['no tag on a registry with a port', { image: 'registry.local:5000/kuberoapp', name: NAME }, undefined],
    ['an image of another name', { ...official, image: 'registry.local/acme:v0.2.1' }, undefined],
  ])('is recognised with %s', async (_, installation, version) => {
    const operator = await recognised(installation);
    expect(operator).toEqual({
      name: `${installation.namespace ?? 'tools'}/${installation.name ?? 'manager'}`,
      ...{ image: installation.image, version, running: true },
    });
  });

  it.each<[string, Installation]>([
    ['an image name alone', { image: 'registry.local/kuberoapp:v0.2.1' }],
    ['the name of its Deployment alone', { image: 'registry.local/acme:v0.2.1', name: NAME }],
    ['another operator', { image: 'quay.io/dapr/helm-operator:v1.0.0' }],
  ])('is not recognised by %s', async (_, installation) => {
    expect(await recognised(installation)).toBeUndefined();
  });

  it.each<[string, object | undefined, Partial<Installation>]>([
    ['its Deployment has no label', {}, { labels: {} }],
    ['WATCH_NAMESPACE is empty', {}, { env: [{ name: 'WATCH_NAMESPACE', value: '' }] }],
    ['WATCH_NAMESPACE lists the namespace', {}, { env: [{ name: 'WATCH_NAMESPACE', value: 'a,shop' }] }],
    ['WATCH_NAMESPACE is another namespace', undefined, { env: [{ name: 'WATCH_NAMESPACE', value: 'tenant' }] }],
    [
      'WATCH_NAMESPACE is its own namespace',
      undefined,
      { env: [{ name: 'WATCH_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }] },
    ],
    [
      'WATCH_NAMESPACE comes from a ConfigMap',
      { unsure: true },
      { env: [{ name: 'WATCH_NAMESPACE', valueFrom: { configMapKeyRef: {} } }] },
    ],
    ['its variables come from a ConfigMap', { unsure: true }, { envFrom: [{ configMapRef: { name: 'c' } }] }],
  ])('watches the namespace of the pipeline where %s: %j', async (_, expected, change) => {
    const found = await recognised({ ...official, image: 'ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.1', ...change });
    if (expected) expect(found).toMatchObject(expected);
    else expect(found).toBeUndefined();
  });

  it.each<[string, boolean, Partial<Installation>]>([
    ['replicas are not set', true, {}],
    [
      'its only pod is not ready, because it may reconcile all the same',
      true,
      { replicas: 1, status: { observedGeneration: 1, replicas: 1, unavailableReplicas: 1 } },
    ],
    ['it is scaled to zero', false, { replicas: 0 }],
    ['its controller reports that no pod exists', false, { replicas: 1, status: { observedGeneration: 1 } }],
  ])('runs where %s: %s', async (_, running, change) => {
    expect(await recognised({ ...official, image: 'ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.1', ...change })).toMatchObject({
      running,
    });
  });
});
