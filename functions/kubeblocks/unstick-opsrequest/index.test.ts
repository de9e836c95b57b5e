import { describe, expect, it } from '@jest/globals';
import { allLive, live, liveValues } from '../../../shared/evidence.ts';
import type { Fix, Verdict } from '../../../shared/verdict.ts';
import {
  ago,
  broker,
  instanceSet,
  operation,
  pod,
  queued,
  scaling,
  setQueue,
  stuck,
  verdictIn,
  type World,
} from '../../../test/fixtures/kubeblocks.ts';

type Change = (world: World) => void;
const fixIn = async (world: World): Promise<Fix> => {
  const verdict = await verdictIn(world);
  expect(verdict).toMatchObject({ kind: 'fix' });
  return verdict as Fix;
};

describe('#9000: the last pod is asked back', () => {
  it('is mended by the replicas that were forgotten, under tests of what they rest on (fix A)', async () => {
    const { steps, evidence, approval } = await fixIn(stuck());
    expect(steps).toEqual([
      expect.objectContaining({
        kind: 'json-patch',
        target: { group: 'apps.kubeblocks.io', version: 'v1', resource: 'clusters', namespace: 'demo', name: 'kafka', uid: 'uid-kafka' },
        operations: [
          { op: 'test', path: '/spec/componentSpecs/0/name', value: 'broker' },
          { op: 'test', path: '/spec/componentSpecs/0/replicas', value: 2 },
          { op: 'replace', path: '/spec/componentSpecs/0/replicas', value: 3 },
        ],
      }),
    ]);
    expect(liveValues(evidence)).toMatchObject({
      kubeblocks: '1.0.0',
      missing: ['kafka-broker-2'],
      replicas: { from: 2, to: 3 },
      remedy: 'raise replicas',
    });
    expect(approval).toBeUndefined();
  });

  it('is mended under KubeBlocks 1.0.1 too: an upgrade does not free what is stuck', async () => {
    const world = stuck();
    world.op.metadata.managedFields?.push({
      manager: 'KubeBlocks v1.0.1 (linux',
      operation: 'Update',
      subresource: 'status',
      time: ago(10),
    });
    expect((await fixIn(world)).evidence.kubeblocks).toEqual(live('1.0.1'));
  });

  it.each<[string, { manager: string; subresource?: string }[]]>([
    ['the field manager of the status is that of an own build', [{ manager: 'manager', subresource: 'status' }]],
    ['only a user who may create operations calls himself KubeBlocks', [{ manager: 'KubeBlocks v1.0.0 (linux' }]],
    ['nothing names a version', []],
  ])('is reported with what prevents the fix when %s', async (_, managers) => {
    const world = stuck();
    world.op.metadata.managedFields = managers.map((entry) => ({ ...entry, operation: 'Update', time: ago(10) }));
    const verdict = await verdictIn(world);
    expect(verdict).toMatchObject({
      kind: 'report',
      because: expect.stringMatching(/#9000.*does not write, because the version of KubeBlocks/),
    });
    expect(verdict).toMatchObject({ evidence: { missing: live(['kafka-broker-2']) }, advice: [expect.stringMatching(/replicas/)] });
  });

  it('raises the template of a pod that is made of one', async () => {
    const world = stuck((it) => {
      Object.assign(broker(it), { replicas: 3, instances: [{ name: 'big', replicas: 1 }] });
      it.instanceSets = [instanceSet('broker', 3)];
      it.pods.push(pod('kafka-broker-big-0'));
      scaling(it).scaleOut = { offlineInstancesToOnline: ['kafka-broker-big-1'] };
      it.op.status.components = { broker: { progressDetails: [{ objectKey: 'Pod/kafka-broker-big-1', status: 'Pending' }] } };
    });
    expect((await fixIn(world)).steps[0]).toMatchObject({
      operations: expect.arrayContaining([
        { op: 'replace', path: '/spec/componentSpecs/0/replicas', value: 4 },
        { op: 'test', path: '/spec/componentSpecs/0/instances/0/name', value: 'big' },
        { op: 'add', path: '/spec/componentSpecs/0/instances/0/replicas', value: 2 },
      ]),
    });
  });

  it.each([
    ['etcd-3.5', 'always'],
    ['kafka-controller-1.0.0', 'always'],
    ['something-new', 'always'],
    ['redis-7-1.0.0', undefined],
  ])('of %s asks a person: %s', async (componentDef, approval) => {
    expect((await fixIn(stuck((world) => Object.assign(broker(world), { componentDef })))).approval).toBe(approval);
  });

  it('with a queue behind it is cancelled instead (fix B), unless all that wait can wait for the Cluster', async () => {
    const { steps, evidence } = await fixIn(stuck(queued()));
    expect(steps).toEqual([
      expect.objectContaining({
        kind: 'merge-patch',
        patch: { spec: { cancel: true } },
        target: expect.objectContaining({ name: 'online-broker-2' }),
      }),
    ]);
    expect(evidence).toMatchObject(allLive({ queued: ['next'], remedy: 'cancel and ask again' }));
    expect((await fixIn(stuck(queued({ preConditionDeadlineSeconds: 60 })))).evidence.remedy).toEqual(live('raise replicas'));
  });

  it.each<[string, Change, Verdict['kind'], RegExp]>([
    ['the pod exists and is not ready', ({ pods }) => pods.push(pod('kafka-broker-2', false)), 'wait', /nothing known/],
    ['the name is among the wanted ones', (world) => Object.assign(broker(world), { replicas: 3 }), 'wait', /nothing known/],
    ['the Cluster is older than the operation', ({ op }) => Object.assign(op.status, { clusterGeneration: 5 }), 'wait', /nothing known/],
    [
      'the operation names no generation of the Cluster',
      ({ op }) => Object.assign(op.status, { clusterGeneration: undefined }),
      'wait',
      /nothing known/,
    ],
    [
      'the pod is still offline',
      (world) => Object.assign(broker(world), { offlineInstances: ['kafka-broker-2'] }),
      'wait',
      /nothing known/,
    ],
    ['the operation does not say it waits', ({ op }) => Object.assign(op.status, { components: {} }), 'wait', /nothing known/],
    ['the pod is being made', (world) => setDetail(world, 'Processing'), 'wait', /nothing known/],
    ['a number is asked for', (world) => Object.assign(scaling(world).scaleOut ?? {}, { replicaChanges: 1 }), 'wait', /nothing known/],
    [
      'its template is listed',
      (world) => Object.assign(scaling(world).scaleOut ?? {}, { instances: [{ name: '', replicaChanges: 1 }] }),
      'wait',
      /nothing known/,
    ],
    ['shards are scaled', (world) => Object.assign(scaling(world), { shards: 3 }), 'wait', /nothing known/],
    [
      'ordinals have ranges',
      (world) => Object.assign(broker(world), { instances: [{ name: 'a', replicas: 0, ordinals: { ranges: [{}] } }] }),
      'wait',
      /nothing known/,
    ],
    ['ordinals are flat', (world) => Object.assign(broker(world), { flatInstanceOrdinal: true }), 'wait', /nothing known/],
    ['it waits in the queue', ({ op }) => Object.assign(op.status, { phase: 'Pending' }), 'wait', /nothing known/],
    ['somebody cancels it', ({ op }) => Object.assign(op.spec, { cancel: true }), 'wait', /somebody cancels/],
    ['somebody deletes it', ({ op }) => Object.assign(op.metadata, { deletionTimestamp: ago(5) }), 'wait', /somebody deletes/],
    ['the Cluster is deleted', ({ cluster }) => Object.assign(cluster.metadata, { deletionTimestamp: ago(5) }), 'clear', /being deleted/],
    ['the Cluster is stopped', ({ cluster }) => Object.assign(cluster.status, { phase: 'Stopped' }), 'wait', /Stopped/],
    ['the component is stopped', (world) => Object.assign(broker(world), { stop: true }), 'wait', /is stopped/],
    ['the Cluster was just changed', ({ cluster }) => Object.assign(cluster.status, { observedGeneration: 3 }), 'wait', /has not seen/],
    [
      'the InstanceSet lags',
      ({ instanceSets }) => Object.assign(instanceSets[0]?.status ?? {}, { observedGeneration: 2 }),
      'wait',
      /not in step/,
    ],
    ['the InstanceSet is missing', (world) => Object.assign(world, { instanceSets: [] }), 'wait', /not in step/],
    ['the InstanceSet is paused', ({ instanceSets }) => Object.assign(instanceSets[0]?.spec ?? {}, { paused: true }), 'wait', /paused/],
    ['another operation runs by force', ({ others }) => others.push(operation('forced', 'Restart', 'Running')), 'wait', /forced/],
    [
      'another operation holds the Cluster too',
      (world) => setQueue(world, { name: 'online-broker-2' }, { name: 'expansion' }),
      'wait',
      /expansion/,
    ],
    ['it does not hold the Cluster', (world) => setQueue(world), 'wait', /does not hold/],
    [
      'a broker is not ready',
      (world) => Object.assign(world, { pods: [pod('kafka-broker-0'), pod('kafka-broker-1', false)] }),
      'wait',
      /kafka-broker-1/,
    ],
    ['a broker is gone', (world) => Object.assign(world, { pods: [pod('kafka-broker-0')] }), 'wait', /kafka-broker-1/],
    [
      'it scales in at the same time',
      (world) => Object.assign(scaling(world), { scaleIn: { replicaChanges: 1 } }),
      'report',
      /in and out at once/,
    ],
    [
      'KubeBlocks is newer than what is known',
      ({ op }) => op.metadata.managedFields?.push({ manager: 'KubeBlocks v1.4.0 (linux', subresource: 'status', time: ago(1) }),
      'report',
      /outside the known range/,
    ],
    [
      'the Cluster belongs to Argo CD',
      ({ cluster }) => Object.assign(cluster.metadata, { labels: { 'argocd.argoproj.io/instance': 'x' } }),
      'report',
      /Argo CD/,
    ],
    [
      'the Cluster belongs to a Helm release',
      ({ cluster }) => Object.assign(cluster.metadata.annotations ?? {}, { 'meta.helm.sh/release-name': 'x' }),
      'report',
      /Helm/,
    ],
    ['the operation failed', ({ op }) => Object.assign(op.status, { phase: 'Failed' }), 'clear', /Failed/],
    [
      'it succeeded',
      (world) => {
        Object.assign(world.op.status, { phase: 'Succeed', progress: '1/1' });
        Object.assign(broker(world), { replicas: 3 });
        world.pods.push(pod('kafka-broker-2'));
      },
      'clear',
      /Succeed/,
    ],
    [
      'four pods are missing at once',
      (world) => {
        const names = [2, 3, 4, 5].map((n) => `kafka-broker-${n}`);
        Object.assign(scaling(world).scaleOut ?? {}, { offlineInstancesToOnline: names });
        world.op.status.components = {
          broker: { progressDetails: names.map((name) => ({ objectKey: `Pod/${name}`, status: 'Pending' })) },
        };
      },
      'report',
      /too many/,
    ],
  ])('is not mended when %s', async (_, change, kind, because) => {
    const verdict = await verdictIn(stuck(change));
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });

  it('is not judged by somebody else who cannot be asked: a Cluster that does not exist is a doubt', async () => {
    await expect(verdictIn(stuck(({ op }) => Object.assign(op.spec, { clusterName: 'other' })))).rejects.toThrow('does not exist');
  });

  it('in a queue annotation that cannot be read is a doubt', async () => {
    const world = stuck(({ cluster }) => Object.assign(cluster.metadata.annotations ?? {}, { 'kubeblocks.io/ops-request': '{' }));
    await expect(verdictIn(world)).rejects.toThrow('cannot be read');
  });
});

function setDetail({ op }: World, status: string): void {
  op.status.components = { broker: { progressDetails: [{ objectKey: 'Pod/kafka-broker-2', status }] } };
}
