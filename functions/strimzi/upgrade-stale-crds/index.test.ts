import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Actor, WritesCounted } from '../../../events/writes-counted.ts';
import { RecordedCluster, RecordedObjects } from '../../../infra/local/recorded-cluster.ts';
import { open } from '../../../shared/advance.ts';
import { DirectoryArtifacts } from '../../../shared/artifacts/directory.ts';
import { examine } from '../../../shared/examine.ts';
import { parseCrds } from '../../../shared/kubernetes/crd.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { complete } from '../../../shared/remediation.ts';
import type { Verdict } from '../../../shared/verdict.ts';
import definition from './index.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();
const shipped = join(import.meta.dirname, '../../../artifacts');
const artifacts = new DirectoryArtifacts({ directory: '/nonexistent', shipped });
const remediation = complete('strimzi/upgrade-stale-crds', definition);

/** What a test may change about the cluster of #10576. */
interface World {
  kafka: KubernetesObject | undefined;
  crd: KubernetesObject | undefined;
  deployments: KubernetesObject[] | 'not recorded';
  actors: Actor[];
  apiVersion: string;
  fixed?: boolean;
  detectedAt: number;
}

const crds = new Map<string, KubernetesObject>();
beforeAll(async () => {
  for (const version of ['0.40.0', '0.41.0', '0.43.0', '1.2.0']) {
    const found = parseCrds(await artifacts.get(`strimzi/${version}`)).find(({ metadata }) => metadata.name === 'kafkas.kafka.strimzi.io');
    crds.set(version, found as unknown as KubernetesObject);
  }
});

/** The CRD of a release as the API server holds it. */
function crd(version: string, metadata: object = {}): KubernetesObject {
  const document = structuredClone(crds.get(version)) as KubernetesObject;
  const versions = (document.spec as { versions: { name: string; storage: boolean }[] }).versions;
  const storedVersions = versions.filter(({ storage }) => storage).map(({ name }) => name);
  return { ...document, metadata: { ...document.metadata, uid: 'crd-1', generation: 1, ...metadata }, status: { storedVersions } };
}

const kafka = (status: object = {}): KubernetesObject => ({
  apiVersion: 'kafka.strimzi.io/v1beta2',
  kind: 'Kafka',
  metadata: { name: 'my-cluster', namespace: 'kafka', uid: 'kafka-1', generation: 1 },
  status: { observedGeneration: 1, operatorLastSuccessfulVersion: '0.43.0', ...status },
});

const deployment = (version: string, change: object = {}, name = 'strimzi-cluster-operator'): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'strimzi', labels: { app: 'strimzi' }, generation: 1, ...change },
  spec: { replicas: 1, template: { spec: { containers: [{ image: `quay.io/strimzi/operator:${version}` }] } } },
  status: { observedGeneration: 1, updatedReplicas: 1 },
});

const actor = (version: string, pod?: string): Actor => ({
  ...{
    user: 'system:serviceaccount:strimzi:strimzi-cluster-operator',
    userAgent: `strimzi-cluster-operator/${version}`,
    verbs: ['update'],
    writes: 9,
  },
  ...(pod && { pod }),
});

const changed = (minutes: number, manager = 'helm'): object => ({
  generation: 2,
  managedFields: [{ manager, operation: 'Update', time: ago(minutes) }],
});

async function verdictIn(change: Partial<World>, question: 'detect' | 'verify' = 'detect'): Promise<Verdict> {
  const world: World = {
    ...{
      kafka: kafka(),
      crd: crd('0.41.0'),
      deployments: [deployment('0.43.0')],
      actors: [actor('0.43.0')],
      apiVersion: 'v1beta2',
      detectedAt: NOW,
    },
    ...change,
  };
  const objects = new RecordedObjects();
  objects.declare('kafka.strimzi.io', 'kafkas');
  objects.declare('apiextensions.k8s.io', 'customresourcedefinitions');
  if (world.kafka) objects.put('kafka.strimzi.io', 'kafkas', world.kafka);
  if (world.crd) objects.put('apiextensions.k8s.io', 'customresourcedefinitions', world.crd);
  if (world.deployments !== 'not recorded') {
    objects.declare('apps', 'deployments');
    for (const item of world.deployments) objects.put('apps', 'deployments', item);
  }
  const incident = open(factOf(world), remediation.name, 1, world.detectedAt);
  const plan = { evidence: { missing: ['registeredNodeIds'] } } as unknown as NonNullable<typeof incident.plan>;
  const result = await examine(remediation, { ...incident, plan }, question, new RecordedCluster('test', objects, artifacts), NOW);
  return result.verdict;
}

function factOf({ actors, apiVersion }: World): WritesCounted {
  const object = {
    group: 'kafka.strimzi.io',
    version: apiVersion,
    resource: 'kafkas',
    namespace: 'kafka',
    name: 'my-cluster',
    uid: 'kafka-1',
  };
  return {
    ...{
      id: 'fact-0001',
      cluster: 'test',
      observedAt: ago(0),
      coverage: { sources: ['watch', 'audit'], gap: false, dropped: 0 },
      object,
      actors,
    },
    ...{
      window: { seconds: 600, start: ago(10), end: ago(0) },
      writes: 9,
      changes: 0,
      noops: 0,
      phantoms: 9,
      errors: 0,
      codes: { 200: 9 },
    },
    ...{ recent: [{ at: ago(0), effect: 'phantom' }], shape: 'churn' },
  };
}

describe('strimzi/upgrade-stale-crds', () => {
  it('fixes #10576: operator 0.43.0 on CRDs of 0.41.0', async () => {
    const verdict = await verdictIn({});
    expect(verdict).toMatchObject({ kind: 'fix', evidence: { operator: '0.43.0', missing: ['registeredNodeIds'], apiVersion: 'v1beta2' } });
    if (verdict.kind !== 'fix') throw new Error();
    expect(verdict.steps).toHaveLength(1);
    expect(verdict.steps[0]).toMatchObject({
      kind: 'apply',
      target: { resource: 'customresourcedefinitions', name: 'kafkas.kafka.strimzi.io', uid: 'crd-1' },
      document: { artifact: 'strimzi/0.43.0' },
    });
  });

  it('fixes operator 1.2.0 on CRDs of 1.1.0 though the Kafka was never ready', async () => {
    const world = {
      crd: lacking(crd('1.2.0'), 'clusterSecurity'),
      apiVersion: 'v1',
      actors: [actor('1.2.0')],
      deployments: [deployment('1.2.0')],
      kafka: kafka({ conditions: [] }),
    };
    expect(await verdictIn(world)).toMatchObject({ kind: 'fix', evidence: { missing: ['clusterSecurity'] } });
  });

  it('fixes by image and status together where nobody audits', async () => {
    expect(await verdictIn({ actors: [] })).toMatchObject({ kind: 'fix' });
  });

  it('fixes when the operator runs outside the cluster and only audit names it', async () => {
    expect(await verdictIn({ deployments: [] })).toMatchObject({ kind: 'fix' });
  });

  it.each<[string, Partial<World>, Verdict['kind'], RegExp]>([
    ['the Kafka is gone', { kafka: undefined }, 'clear', /gone/],
    ['the operator was upgraded 3 minutes ago', { deployments: [deployment('0.43.0', changed(3))] }, 'wait', /upgraded/],
    [
      'the operator is rolling out',
      { deployments: [{ ...deployment('0.43.0', { generation: 2 }), status: { observedGeneration: 1, updatedReplicas: 0 } }] },
      'wait',
      /upgraded/,
    ],
    [
      'somebody changed the CRD a minute ago',
      {
        get crd() {
          return crd('0.41.0', changed(1));
        },
      },
      'wait',
      /CRD was changed/,
    ],
    ['two versions of the operator wrote', { actors: [actor('0.43.0'), actor('0.42.0')] }, 'wait', /more than one operator wrote/],
    ['two pods of the operator wrote', { actors: [actor('0.43.0', 'a'), actor('0.43.0', 'b')] }, 'wait', /more than one operator wrote/],
    [
      'two operators wrote for 20 minutes',
      { actors: [actor('0.43.0', 'a'), actor('0.43.0', 'b')], detectedAt: NOW - 20 * 60_000 },
      'report',
      /more than one/,
    ],
    [
      'two operators are deployed',
      { deployments: [deployment('0.43.0'), deployment('0.42.0', {}, 'other')] },
      'report',
      /more than one Strimzi operator is deployed/,
    ],
    [
      'the writer is not the operator that is deployed',
      {
        actors: [actor('0.42.0')],
        get crd() {
          return crd('0.41.0');
        },
      },
      'wait',
      /the one deployed/,
    ],
    [
      'nobody is named and the two proofs disagree',
      { actors: [], kafka: kafka({ operatorLastSuccessfulVersion: '0.42.0' }) },
      'wait',
      /second proof/,
    ],
    [
      'only somebody else wrote',
      { actors: [{ ...actor('0.43.0'), userAgent: 'kubectl/v1.30' }], kafka: kafka({ operatorLastSuccessfulVersion: '0.42.0' }) },
      'wait',
      /nobody is named/,
    ],
    ['the operator is newer than what is known', { actors: [actor('1.9.0')], deployments: [] }, 'report', /outside the known range/],
    [
      'the CRD keeps every field',
      {
        get crd() {
          return crd('0.43.0');
        },
      },
      'report',
      /keeps every field/,
    ],
    [
      'somebody replaced the CRD meanwhile',
      {
        get crd() {
          return crd('0.43.0', changed(1));
        },
      },
      'clear',
      /was replaced/,
    ],
    [
      'the CRD preserves unknown fields',
      {
        get crd() {
          return preserving(crd('0.41.0'));
        },
      },
      'report',
      /keeps every field/,
    ],
    ['the CRDs of this version are not pinned', { actors: [actor('0.43.9')], deployments: [] }, 'report', /not pinned/],
    [
      'the new CRD would narrow the old one',
      {
        get crd() {
          return crd('0.40.0');
        },
      },
      'report',
      /no superset/,
    ],
    [
      'a stored version would go',
      {
        get crd() {
          return storing(crd('0.41.0'), 'v1alpha1');
        },
      },
      'report',
      /no superset/,
    ],
    [
      'the CRD belongs to Argo CD',
      {
        get crd() {
          return crd('0.41.0', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } });
        },
      },
      'report',
      /Argo CD/,
    ],
    [
      'the CRD belongs to Flux',
      {
        get crd() {
          return crd('0.41.0', { managedFields: [{ manager: 'kustomize-controller', operation: 'Apply', time: ago(900) }] });
        },
      },
      'report',
      /Flux/,
    ],
    [
      'the CRD belongs to OLM',
      {
        get crd() {
          return crd('0.41.0', { labels: { 'olm.managed': 'true' } });
        },
      },
      'report',
      /OLM/,
    ],
  ])('leaves it alone when %s', async (_, world, kind, because) => {
    const verdict = await verdictIn(world);
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });

  it('fixes a CRD that Helm installed from crds/: Helm never upgrades it', async () => {
    const helm = { managedFields: [{ manager: 'helm', operation: 'Update', time: ago(9_000) }] };
    expect(await verdictIn({ crd: crd('0.41.0', helm) })).toMatchObject({ kind: 'fix' });
  });

  it('doubts where Deployments cannot be read', async () => {
    await expect(verdictIn({ deployments: 'not recorded' })).rejects.toThrow('not recorded');
  });

  it('says when to pin which CRDs', async () => {
    const verdict = await verdictIn({ actors: [actor('0.43.9')], deployments: [] });
    expect(verdict).toMatchObject({ advice: expect.arrayContaining([expect.stringContaining('kubemend crds add strimzi 0.43.9')]) });
  });

  it('verifies only when the field is stored', async () => {
    const fixed = crd('0.43.0', changed(0, 'kubemend'));
    expect(await verdictIn({ crd: fixed }, 'verify')).toMatchObject({ kind: 'wait' });
    expect(await verdictIn({ crd: fixed, kafka: kafka({ registeredNodeIds: [0, 1, 2] }) }, 'verify')).toMatchObject({ kind: 'clear' });
  });
});

/** The CRD of an older release: without a status field. */
function lacking(object: KubernetesObject, field: string): KubernetesObject {
  const { versions } = object.spec as { versions: { schema: { openAPIV3Schema: { properties: { status: { properties: object } } } } }[] };
  for (const { schema } of versions) delete (schema.openAPIV3Schema.properties.status.properties as Record<string, unknown>)[field];
  return object;
}

function preserving(object: KubernetesObject): KubernetesObject {
  const { versions } = object.spec as { versions: { schema: { openAPIV3Schema: { properties: { status: Record<string, unknown> } } } }[] };
  for (const { schema } of versions) schema.openAPIV3Schema.properties.status['x-kubernetes-preserve-unknown-fields'] = true;
  return object;
}

const storing = (object: KubernetesObject, version: string): KubernetesObject => ({
  ...object,
  status: { storedVersions: ['v1beta2', version] },
});
