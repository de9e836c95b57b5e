import { describe, expect, it } from '@jest/globals';
import { matches } from '../../../events/pattern.ts';
import { allLive } from '../../../shared/evidence.ts';
import type { Verdict } from '../../../shared/verdict.ts';
import {
  bundle,
  but,
  deployment,
  FLIP,
  flip,
  interruptedWorld,
  kafka,
  key,
  later,
  lease,
  NOW,
  pod,
  podSet,
  RENEWED,
  remediation,
  remembered,
  verdictIn,
  type World,
} from '../../../test/fixtures/strimzi-ca.ts';

const { pods, memory } = interruptedWorld();
const [zero, one, two] = pods as [World['pods'][0], World['pods'][0], World['pods'][0]];
const ALL_3 = { podSet: podSet(['3', '3', '3']), pods: pods.map(({ metadata }) => pod(metadata.name, 30, { trusts: '3' })) };

describe('strimzi/resume-ca-roll', () => {
  it('marks the entries of the StrimziPodSet, then the pods, when the operator died after the last restart', async () => {
    const verdict = await verdictIn({});
    if (verdict.kind !== 'fix') throw new Error(verdict.because);
    expect(verdict.evidence).toEqual(
      allLive({
        ...{ generation: '3', certificate: '3', operator: '0.43.0', trustedAt: '2026-11-21T02:27:12.000Z' },
        leader: { holder: 'operator-a', renewTime: RENEWED },
        pods: {
          'my-cluster-dual-0': { uid: 'uid-my-cluster-dual-0', created: later(13), started: later(13), restartedForTrust: false },
          'my-cluster-dual-1': { uid: 'uid-my-cluster-dual-1', created: later(2), started: later(2), restartedForTrust: true },
          'my-cluster-dual-2': { uid: 'uid-my-cluster-dual-2', created: later(24), started: later(24), restartedForTrust: false },
        },
      }),
    );
    const annotation = 'metadata/annotations/strimzi.io~1cluster-ca-key-generation';
    expect(verdict.steps.map((step) => step.kind === 'json-patch' && [step.target.name, step.target.uid, step.operations])).toEqual([
      [
        'my-cluster-dual',
        'uid-my-cluster-dual',
        [0, 1, 2].flatMap((index) => [
          { op: 'test', path: `/spec/pods/${index}/metadata/name`, value: `my-cluster-dual-${index}` },
          { op: 'test', path: `/spec/pods/${index}/${annotation}`, value: '2' },
          { op: 'replace', path: `/spec/pods/${index}/${annotation}`, value: '3' },
        ]),
      ],
      ...[0, 1, 2].map((index) => [
        `my-cluster-dual-${index}`,
        `uid-my-cluster-dual-${index}`,
        [
          { op: 'test', path: `/${annotation}`, value: '2' },
          { op: 'replace', path: `/${annotation}`, value: '3' },
        ],
      ]),
    ]);
  });

  it('counts generations from "0" on', async () => {
    const world = {
      ...{ fact: flip({ from: '0', to: '1' }), key: key('1'), bundle: bundle('1'), podSet: podSet(['0', '0', '0'], '0') },
      pods: pods.map(({ metadata }) => pod(metadata.name, 20, { trusts: '0', presents: '0' })),
      memory: remembered({ generation: '1', certificate: '1' }),
    };
    expect(await verdictIn(world)).toMatchObject({ kind: 'fix', evidence: allLive({ generation: '1' }) });
  });

  it('marks a proven pod of a Deployment without touching the Deployment', async () => {
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'my-cluster-entity-operator-1', controller: true }];
    const entity = but(pod('my-cluster-entity-operator-1-x', 26), { metadata: { ownerReferences } });
    const verdict = await verdictIn({ pods: [...pods, entity] });
    expect(verdict.kind === 'fix' && verdict.steps.map(({ target }) => target.resource)).toEqual([
      'strimzipodsets',
      'pods',
      'pods',
      'pods',
      'pods',
    ]);
  });

  it.each<[string, Partial<World>, Verdict['kind'], RegExp]>([
    ['the operator is 0.45.0', { deployments: [deployment('0.45.0')], memory: undefined }, 'clear', /continues where it left off/],
    [
      'the operator became 0.45.0 meanwhile',
      { deployments: [deployment('0.45.0')] },
      'wait',
      /last reconciled the Kafka is 0.43.0, the one deployed 0.45.0/,
    ],
    [
      'two versions of the operator are deployed',
      { deployments: [deployment('0.43.0'), deployment('0.42.0', {}, 'other')] },
      'wait',
      /more than one/,
    ],
    [
      'an operator of 1.x keeps the key',
      { key: but(key('3'), { metadata: { ownerReferences: [{ apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', name: 'my-cluster' }] } }) },
      'clear',
      /newer than the defect/,
    ],
    ['the Kafka is gone', { kafka: undefined }, 'clear', /gone/],
    ['the Kafka is being deleted', { kafka: kafka({ metadata: { deletionTimestamp: later(1) } }) }, 'clear', /gone/],
    ['the key has no generation', { key: but(key('3'), { metadata: { annotations: {} } }) }, 'clear', /no CA key/],
    ['the reconciliation is paused', { kafka: kafka({ annotations: { 'strimzi.io/pause-reconciliation': 'true' } }) }, 'wait', /paused/],
    ['the Kafka was changed', { kafka: kafka({ status: { observedGeneration: 18 } }) }, 'wait', /was changed/],
    [
      'another replacement waits for its maintenance window',
      { key: key('3', { 'strimzi.io/force-replace': 'true' }) },
      'wait',
      /another replacement/,
    ],
    [
      "the CA is the user's",
      { kafka: kafka({ spec: { clusterCa: { generateCertificateAuthority: false } } }) },
      'wait',
      /not made by the operator/,
    ],
    [
      'somebody asked for a restart',
      {
        pods: [
          zero,
          one,
          but(two, { metadata: { annotations: { ...two.metadata.annotations, 'strimzi.io/manual-rolling-update': 'true' } } }),
        ],
      },
      'wait',
      /asked the operator to restart/,
    ],
    ['the certificate alone was renewed: the key did not change', { ...ALL_3, bundle: bundle('4') }, 'clear', /every pod trusts/],
    ['roll 1 is done', { ...ALL_3 }, 'clear', /every pod trusts/],
    ['roll 2 has begun', { podSet: podSet(['3', '3', '3'], '3') }, 'wait', /roll 2 was interrupted.*roll 2 has begun/],
    [
      'a pod has no generation: Strimzi takes that for equal',
      { podSet: podSet(['3', '3', '3']), pods: pods.map((each) => but(each, { metadata: { annotations: {} } })) },
      'clear',
      /every pod trusts/,
    ],
    ['the bundle changed again', { bundle: bundle('4') }, 'wait', /bundle changed again/],
    ['the bundle has no old certificate any more', { bundle: bundle('3', false) }, 'wait', /no longer holds/],
    ['the key changed again: its time is of another generation', { key: key('4') }, 'wait', /generation 4 is under way/],
    [
      'the key does not say when it was written',
      { key: but(key('3'), { metadata: { managedFields: [] } }) },
      'report',
      /my-cluster-cluster-ca does not say when its generation was written/,
    ],
    [
      'the bundle does not say when it was written',
      {
        bundle: but(bundle('3'), { metadata: { managedFields: bundle('3').metadata.managedFields?.map(({ time: _, ...rest }) => rest) } }),
      },
      'report',
      /my-cluster-cluster-ca-cert does not say/,
    ],
    [
      'a pod was there before the bundle was written a second time',
      { bundle: bundle('3', true, later(20)) },
      'wait',
      /has not been rolled/,
    ],
    ['a pod was there before the key was written', { key: key('3', {}, later(20)) }, 'wait', /has not been rolled/],
    ['the key jumped by two: no pod is known to trust the one between', { key: key('4'), bundle: bundle('4') }, 'wait', /generation 4/],
    [
      'Argo CD owns the pods',
      {
        pods: [zero, one, but(two, { metadata: { annotations: { ...two.metadata.annotations, 'argocd.argoproj.io/tracking-id': 'x' } } })],
      },
      'report',
      /Argo CD/,
    ],
  ])('writes nothing when %s', async (_, world, kind, because) => {
    const verdict = await verdictIn(world);
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });

  it('tells a person when the operator stays away for a minute: who is unproven and why, which roll, and what comes next', async () => {
    const world = { pods: [zero, one, pod('my-cluster-dual-2', -300)], memory: remembered({ seen: { ...seen(), since: NOW - 60_000 } }) };
    const verdict = await verdictIn(world);
    expect(verdict).toMatchObject({
      kind: 'report',
      evidence: {
        ...allLive({ roll: 1, generation: '3', previous: '2', operator: '0.43.0' }),
        unproven: { value: [expect.stringMatching(/^my-cluster-dual-2 was created at .* it has not been rolled$/)], from: 'live' },
      },
      advice: expect.arrayContaining([expect.stringContaining('Strimzi 0.43.0 restarts every pod of the cluster again')]),
    });
  });

  it.each([
    ['alive', lease('operator-a', '2026-11-21T02:44:00.000000Z')],
    ['released', lease('')],
  ])('is patient with a leader that is %s: 15 minutes without a restart, longer than any timeout of Strimzi', async (_, current) => {
    const last = FLIP + 24_000;
    expect(await verdictIn({ lease: current, now: last + 14 * 60_000 })).toMatchObject({ kind: 'wait' });
    expect(await verdictIn({ lease: current, now: last + 15 * 60_000 })).toMatchObject({
      kind: 'report',
      because: expect.stringContaining('15 minutes'),
    });
  });

  it('watches the lease from the first examination on', async () => {
    const verdict = await verdictIn({ memory: undefined, now: FLIP + 500 });
    expect(verdict).toMatchObject({ kind: 'wait', again: '2s', remember: { ...memory, seen: { ...seen(), since: FLIP + 500 } } });
  });

  it('forgets what it knew of another generation', async () => {
    const verdict = await verdictIn({ key: key('4'), bundle: bundle('4') });
    expect(verdict).toMatchObject({ kind: 'wait', remember: { generation: '4', certificate: '4', seen: { since: NOW } } });
  });

  describe('the rule', () => {
    const isHeard = (detail: object): boolean =>
      remediation.when.some((pattern) =>
        matches(pattern, { source: 'kubernetes', 'detail-type': 'Object Changed', detail: JSON.parse(JSON.stringify(detail)) }),
      );
    const named = (name: string) => ({ ...flip(), object: { ...flip().object, name } });

    it('hears the cluster CA key alone, and only when its generation changed', () => {
      expect(isHeard(flip())).toBe(true);
      expect(isHeard(named('my-cluster-clients-ca'))).toBe(false);
      expect(isHeard(named('my-cluster-cluster-ca-cert'))).toBe(false);
      expect(isHeard({ ...flip(), changed: ['/metadata/annotations/strimzi.io~1force-replace'] })).toBe(false);
    });

    it('is about the Kafka cluster', () => {
      expect(remediation.subject?.(flip())).toMatchObject({ resource: 'kafkas', namespace: 'kafka', name: 'my-cluster' });
    });
  });
});

function seen() {
  const { seen } = remembered();
  if (!seen) throw new Error();
  return seen;
}
