import { beforeAll, describe, expect, it } from '@jest/globals';
import { allLive } from '../../../shared/evidence.ts';
import type { Verdict } from '../../../shared/verdict.ts';
import {
  actor,
  ago,
  changed,
  crd,
  deployment,
  kafka,
  lacking,
  loadCrds,
  NOW,
  preserving,
  storing,
  verdictIn,
  type World,
} from '../../../test/fixtures/strimzi-crds.ts';

beforeAll(loadCrds);

/** Everything of one version of the operator. */
const on = (version: string) => ({
  actors: [actor(version)],
  deployments: [deployment(version)],
  kafka: kafka({ operatorLastSuccessfulVersion: version }),
});

describe('strimzi/upgrade-stale-crds', () => {
  it('fixes #10576: operator 0.43.0 on CRDs of 0.41.0', async () => {
    const verdict = await verdictIn({});
    expect(verdict).toMatchObject({
      kind: 'fix',
      evidence: allLive({ operator: '0.43.0', missing: ['registeredNodeIds'], apiVersion: 'v1beta2' }),
    });
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
      kafka: kafka({ conditions: [], operatorLastSuccessfulVersion: undefined }),
    };
    expect(await verdictIn(world)).toMatchObject({ kind: 'fix', evidence: allLive({ missing: ['clusterSecurity'] }) });
  });

  it('reads the API version from the CRD: a fact names any', async () => {
    const verdict = await verdictIn({ apiVersion: 'v1alpha1' });
    expect(verdict).toMatchObject({ kind: 'fix', evidence: allLive({ apiVersion: 'v1beta2' }) });
  });

  it('fixes by image and status together where nobody audits', async () => {
    expect(await verdictIn({ actors: [] })).toMatchObject({ kind: 'fix' });
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
      'the image and the status of the Kafka disagree',
      { actors: [], kafka: kafka({ operatorLastSuccessfulVersion: '0.42.0' }) },
      'wait',
      /last reconciled the Kafka is 0.42.0, the one deployed 0.43.0/,
    ],
    [
      'only somebody else wrote',
      { actors: [{ ...actor('0.43.0'), userAgent: 'kubectl/v1.30' }], kafka: kafka({ operatorLastSuccessfulVersion: '0.42.0' }) },
      'wait',
      /last reconciled the Kafka is 0.42.0/,
    ],
    ['the operator is newer than what is known', { ...on('1.9.0') }, 'report', /outside the known range/],
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
    ['the CRDs of this version are not pinned', { ...on('0.43.9') }, 'report', /not pinned/],
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

  const on044 = on('0.44.0');
  const env = [{ name: 'A', value: '1' }];

  it('fixes operator 0.44.0 on CRDs of 0.41.0 while no Kafka has what the new CRD newly rules', async () => {
    const verdict = await verdictIn({ ...on044, crd: crd('0.41.0') });
    expect(verdict).toMatchObject({
      kind: 'fix',
      evidence: { newRulesThatNoKafkaMeets: { value: expect.arrayContaining([expect.stringMatching(/oneOf added/)]), from: 'live' } },
    });
  });

  it('leaves it alone when a Kafka has what the new CRD newly rules', async () => {
    const withEnv = { ...on044.kafka, spec: { kafka: { template: { kafkaContainer: { env } } } } };
    const verdict = await verdictIn({ ...on044, crd: crd('0.41.0'), kafka: withEnv });
    expect(verdict).toMatchObject({
      kind: 'report',
      evidence: { losses: { value: [expect.stringContaining('kafkaContainer.env[]: oneOf added')], from: 'live' } },
    });
  });

  it('doubts where Deployments cannot be read', async () => {
    await expect(verdictIn({ deployments: 'not recorded' })).rejects.toThrow('not recorded');
  });

  it('says when to pin which CRDs', async () => {
    const verdict = await verdictIn(on('0.43.9'));
    expect(verdict).toMatchObject({ advice: expect.arrayContaining([expect.stringContaining('kubemend crds add strimzi 0.43.9')]) });
  });

  it('verifies only when the field is stored', async () => {
    const fixed = crd('0.43.0', changed(0, 'kubemend'));
    expect(await verdictIn({ crd: fixed }, 'verify')).toMatchObject({ kind: 'wait' });
    expect(await verdictIn({ crd: fixed, kafka: kafka({ registeredNodeIds: [0, 1, 2] }) }, 'verify')).toMatchObject({ kind: 'clear' });
  });
});
