import { describe, expect, it } from '@jest/globals';
import type { Actor } from '../../../events/writes-counted.ts';
import type { Cluster } from '../../../shared/cluster.ts';
import { asHints } from '../../../shared/hint.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { actor, ago, deployment, kafka, NOW } from '../../../test/fixtures/strimzi-crds.ts';
import { identify } from './identify.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

interface World {
  operators: KubernetesObject[];
  kafka: KubernetesObject;
  actors: Actor[];
}

/** A Deployment of the operator with this image, labels and variables. */
function running(
  image: string,
  labels: Record<string, string> = {},
  env: Record<string, string> = {},
  change: object = {},
): KubernetesObject {
  const base = deployment('0.41.0', { labels: { app: 'strimzi', ...labels }, ...change });
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  const container = { name: 'strimzi-cluster-operator', image, env: variables };
  return {
    ...base,
    spec: { replicas: 1, template: { spec: { serviceAccountName: 'strimzi-cluster-operator', containers: [container] } } },
  };
}

/** A Kafka that an operator of this version reconciled, so many minutes ago. */
const reconciled = (version: string, minutes = 1, { ready = 'True' } = {}): KubernetesObject => {
  const object = kafka({ operatorLastSuccessfulVersion: version, conditions: [{ type: 'Ready', status: ready }] });
  const fieldsV1 = { 'f:status': { 'f:operatorLastSuccessfulVersion': {} } };
  const status = { manager: 'strimzi-cluster-operator', operation: 'Update', subresource: 'status', time: ago(minutes), fieldsV1 };
  return { ...object, metadata: { ...object.metadata, managedFields: [status] } };
};
const silent = kafka({ operatorLastSuccessfulVersion: undefined });

async function ask(change: Partial<World>) {
  const world: World = { operators: [deployment('0.41.0')], kafka: silent, actors: [], ...change };
  const cluster = { list: async () => world.operators } as unknown as Cluster;
  const object = { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas', namespace: 'kafka', name: 'my-cluster' };
  const hints = asHints({ actors: world.actors });
  return identify(world.kafka, { hints, cluster, question: 'detect', now: NOW, incident: { object, detectedAt: NOW } });
}

const FORGED: [string, Actor[]][] = [
  ['the user agent of 0.43.0, from a tenant', [{ ...actor('0.43.0'), user: 'system:serviceaccount:tenant:app' }]],
  ['the user agent of 0.44.0, authenticated as the operator', [actor('0.44.0')]],
  ['the user agent of a vendor', [actor('0.43.0.redhat-00011')]],
];

describe('the operator of a Kafka', () => {
  it.each<[string, Partial<World>, string]>([
    ['tag', { operators: [running('quay.io/strimzi/operator:0.41.0')] }, '0.41.0'],
    ['tag and digest', { operators: [running(`quay.io/strimzi/operator:0.41.0@${DIGEST}`)] }, '0.41.0'],
    ['mirror with a port', { operators: [running('registry.local:5000/quay/strimzi/operator:0.41.0')] }, '0.41.0'],
    ['renamed image', { operators: [running('registry.local/mirror/strimzi-operator:0.41.0')] }, '0.41.0'],
    [
      'digest, and the chart label',
      { operators: [running(`x/operator@${DIGEST}`, { 'helm.sh/chart': 'strimzi-kafka-operator-0.41.0' })] },
      '0.41.0',
    ],
    [
      'digest, and the version label',
      { operators: [running(`x/operator@${DIGEST}`, { 'app.kubernetes.io/version': '0.41.0' })] },
      '0.41.0',
    ],
    [
      'digest, and the Kafka images',
      {
        operators: [
          running(
            `x/operator@${DIGEST}`,
            {},
            { STRIMZI_KAFKA_IMAGES: '3.7.0=x/kafka:0.41.0-kafka-3.7.0\n3.7.1=x/kafka:0.41.0-kafka-3.7.1\n' },
          ),
        ],
      },
      '0.41.0',
    ],
    [
      'digest, and the other operator images',
      { operators: [running(`x/operator@${DIGEST}`, {}, { STRIMZI_DEFAULT_TOPIC_OPERATOR_IMAGE: 'x/operator:0.41.0' })] },
      '0.41.0',
    ],
    [
      'digest, and a fresh status',
      { operators: [running(`x/operator@${DIGEST}`, {}, {}, { creationTimestamp: ago(60) })], kafka: reconciled('0.41.0') },
      '0.41.0',
    ],
    [
      'images of other programs have versions of their own',
      {
        operators: [
          running(
            'x/operator:0.41.0',
            {},
            { STRIMZI_DEFAULT_KAFKA_BRIDGE_IMAGE: 'x/kafka-bridge:0.30.0', STRIMZI_KAFKA_IMAGES: '3.7.0=my/kafka:2.0.1' },
          ),
        ],
      },
      '0.41.0',
    ],
    ['own container, with another label', { operators: [running('x/operator:0.41.0', { app: 'other' })] }, '0.41.0'],
    ['two operators of one version', { operators: [deployment('0.41.0'), deployment('0.41.0', {}, 'other')] }, '0.41.0'],
  ])('is identified by its %s, and no fact names another version', async (_, world, version) => {
    expect((await ask(world)).version).toBe(version);
    for (const [, actors] of FORGED) expect([version, undefined]).toContain((await ask({ ...world, actors })).version);
  });

  it.each<[string, Partial<World>, RegExp]>([
    [
      'a vendor suffix',
      { operators: [running('registry.local/strimzi/operator:0.41.0-custom1')] },
      /the image tag names the version 0.41.0-custom1, which is not a release/,
    ],
    ['latest', { operators: [running('quay.io/strimzi/operator:latest')] }, /latest, which is not a release/],
    ['no tag at all', { operators: [running('quay.io/strimzi/operator')] }, /latest, which is not a release/],
    [
      'latest, though the status names a release',
      { operators: [running('x/operator:latest')], kafka: reconciled('0.41.0') },
      /not a release/,
    ],
    [
      'a build of Red Hat in the status',
      { kafka: reconciled('0.41.0.redhat-00011') },
      /the status of the Kafka names the version 0.41.0.redhat-00011/,
    ],
    ['a digest alone', { operators: [running(`quay.io/strimzi/operator@${DIGEST}`)] }, /neither the Deployment .* nor a recent status/],
    [
      'a digest, and a status older than the Deployment',
      { operators: [running(`x/operator@${DIGEST}`, {}, {}, { creationTimestamp: ago(60) })], kafka: reconciled('0.41.0', 90) },
      /neither the Deployment/,
    ],
    [
      'a digest, and a status of a reconciliation that failed',
      {
        operators: [running(`x/operator@${DIGEST}`, {}, {}, { creationTimestamp: ago(60) })],
        kafka: reconciled('0.41.0', 1, { ready: 'False' }),
      },
      /neither the Deployment/,
    ],
    ['no Deployment', { operators: [], kafka: reconciled('0.41.0') }, /no Deployment is recognised as an operator that runs/],
    [
      'an operator that watches another namespace',
      { operators: [running('x/operator:0.41.0', {}, { STRIMZI_NAMESPACE: 'elsewhere' })] },
      /no Deployment is recognised/,
    ],
    [
      'an operator of another version for another namespace: CRDs exist once',
      {
        operators: [
          running('x/operator:0.41.0', {}, { STRIMZI_NAMESPACE: 'kafka' }),
          { ...running('x/operator:0.43.0', {}, { STRIMZI_NAMESPACE: 'team-a' }), metadata: { name: 'other', namespace: 'team-a' } },
        ],
      },
      /more than one Strimzi operator/,
    ],
    [
      'an unlabelled operator of another version beside one that anyone could deploy',
      { operators: [deployment('0.41.0'), running('x/operator:0.43.0', { app: 'other' })] },
      /more than one Strimzi operator/,
    ],
    [
      'another program with the label',
      { operators: [{ ...deployment('0.41.0'), spec: { template: { spec: { containers: [{ image: 'x/ui:0.41.0' }] } } } }] },
      /no Deployment/,
    ],
    [
      'a label that contradicts the image',
      { operators: [running('x/operator:0.41.0', { chart: 'strimzi-kafka-operator-0.43.0' })] },
      /several versions/,
    ],
    [
      'two versions',
      { operators: [deployment('0.41.0'), deployment('0.43.0', {}, 'other')] },
      /more than one Strimzi operator is deployed/,
    ],
    [
      'a second operator without a version',
      {
        operators: [
          deployment('0.41.0'),
          { ...running(`x/operator@${DIGEST}`), metadata: { name: 'other', namespace: 'b', labels: { app: 'strimzi' }, generation: 1 } },
        ],
      },
      /b\/other names no version/,
    ],
  ])('is unknown with %s, whoever claims a version', async (_, world, because) => {
    for (const [, actors] of [['', []] as (typeof FORGED)[number], ...FORGED]) {
      const found = await ask({ ...world, actors });
      expect(found).toMatchObject({ because: expect.stringMatching(because), passes: false });
      expect(found.version).toBeUndefined();
    }
  });

  it.each<[string, Partial<World>, RegExp]>([
    ['the status names another release', { kafka: reconciled('0.40.0') }, /last reconciled the Kafka is 0.40.0, the one deployed 0.41.0/],
    [
      'the only operator runs no pod',
      { operators: [{ ...deployment('0.41.0'), spec: { ...deployment('0.41.0').spec, replicas: 0 } }] },
      /the operator of the namespace kafka runs no pod: strimzi\/strimzi-cluster-operator/,
    ],
    ['a user agent names another release', { actors: [actor('0.43.0')] }, /calls itself 0.43.0/],
    ['a user agent of a tenant names another release', { actors: [{ ...actor('0.43.0'), user: 'tenant' }] }, /calls itself 0.43.0/],
    [
      'two pods of the ServiceAccount wrote',
      { actors: [{ ...actor('0.41.0', 'a'), userAgent: 'curl' }, actor('0.41.0', 'b')] },
      /more than one operator wrote here: 0.41.0, a, b/,
    ],
    [
      'a pod of the same name but another UID wrote',
      { actors: ['1', '2'].map((podUid) => ({ ...actor('0.41.0', 'a'), podUid })) },
      /more than one operator wrote here: 0.41.0, a \(1\), a \(2\)/,
    ],
  ])('is not certain for now while %s', async (_, world, because) => {
    expect(await ask(world)).toMatchObject({ because: expect.stringMatching(because), passes: true });
  });

  it('names the writer only when the API server authenticated it as the ServiceAccount of the operator', async () => {
    const tenant = { ...actor('0.41.0'), user: 'system:serviceaccount:tenant:strimzi-cluster-operator' };
    const impersonated = { ...actor('0.41.0'), impersonator: 'tenant' };
    for (const other of [tenant, impersonated]) expect((await ask({ actors: [other] })).evidence).not.toHaveProperty('writer');
    expect((await ask({ actors: [actor('0.41.0'), tenant] })).evidence).toEqual({
      operator: { value: '0.41.0', from: 'live' },
      namedBy: { value: ['the image tag'], from: 'live' },
      writer: { value: ['system:serviceaccount:strimzi:strimzi-cluster-operator'], from: 'audit' },
    });
  });

  it('says of an unknown operator what each source names, and keeps claims apart', async () => {
    const found = await ask({ operators: [running('x/operator:0.41.0-custom1')], kafka: reconciled('0.41.0'), actors: [actor('0.43.0')] });
    expect(found).toMatchObject({
      candidates: ['0.41.0'],
      evidence: {
        operators: { value: [{ operator: 'strimzi/strimzi-cluster-operator', says: ['0.41.0-custom1 (the image tag)'] }], from: 'live' },
        status: { value: '0.41.0', from: 'live' },
        userAgents: { value: ['0.43.0'], from: 'hint' },
      },
    });
  });
});
