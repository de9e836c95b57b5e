import { describe, expect, it } from '@jest/globals';
import { allLive } from '../../../shared/evidence.ts';
import { ago, instanceSet, lastBrokerStuck, operation, pod, setQueue, verdictIn, type World } from '../../../test/fixtures/kubeblocks.ts';

const TEXT = { value: expect.any(String), from: 'live' };

/** An operation of 40 minutes under a KubeBlocks of `version`. */
function world(version: string, type: string, phase: string, spec: object, change: (it: World) => unknown = () => undefined): World {
  const it: World = { ...lastBrokerStuck(), op: operation('op', type, phase, spec) };
  Object.assign(it.op.status, { startTimestamp: ago(2_400), completionTimestamp: ago(900) });
  it.op.metadata.creationTimestamp = ago(2_400);
  it.op.metadata.managedFields = [{ manager: `KubeBlocks v${version} (linux`, operation: 'Update', subresource: 'status', time: ago(60) }];
  it.more = { '/events': [], 'apps.kubeblocks.io/components': [], 'parameters.kubeblocks.io/parameters': [] };
  setQueue(it, { name: 'op' });
  change(it);
  return it;
}
const scaling = (change: object) => ({ horizontalScaling: [{ componentName: 'broker', ...change }] });
const offline = scaling({ scaleIn: { onlineInstancesToOffline: ['kafka-broker-1'] } });
const online = scaling({ scaleOut: { offlineInstancesToOnline: ['kafka-broker-1'] } });
const detail =
  (status: string, key = 'kafka-broker-1') =>
  (it: World) =>
    Object.assign(it.op.status, { components: { broker: { progressDetails: [{ objectKey: `Pod/${key}`, status }] } } });
const had = (component: string, before: object) => (it: World) =>
  Object.assign(it.op.status, { lastConfiguration: { components: { [component]: before } } });
const sharded =
  (template: object = {}) =>
  (it: World) => {
    it.cluster.spec = { shardings: [{ name: 'shard', shards: 2, template: { replicas: 1, ...template } }] };
  };
const all =
  (...changes: ((it: World) => unknown)[]) =>
  (it: World) => {
    for (const change of changes) change(it);
  };
const members = (it: World) =>
  Object.assign(it, {
    instanceSets: [instanceSet('broker', 2, {}, { currentRevisions: { a: 'b' }, membersStatus: [{ podName: 'kafka-broker-0' }] })],
  });
const notJoined = (it: World) => {
  const status = [{ name: 'kafka-broker-1', memberJoined: false }];
  Object.assign(it.instanceSets[0]?.metadata ?? {}, { annotations: { 'apps.kubeblocks.io/replicas-status': JSON.stringify({ status }) } });
};

const ROWS: [string, World][] = [
  ['#8737', world('1.0.0-beta.21', 'HorizontalScaling', 'Running', offline, had('broker', { replicas: 1 }))],
  ['#8768', world('1.0.0', 'HorizontalScaling', 'Running', offline, detail('Pending'))],
  [
    '#8793',
    world('1.0.0-beta.22', 'HorizontalScaling', 'Running', offline, (it) =>
      Object.assign(it.cluster, { spec: { componentSpecs: [{ name: 'broker', componentDef: 'mongodb-1.0.0', replicas: 2 }] } }),
    ),
  ],
  ['#10485', world('1.1.0', 'HorizontalScaling', 'Running', online, detail('Pending'))],
  ['#9670', world('1.0.0', 'HorizontalScaling', 'Running', scaling({ scaleOut: { replicaChanges: 1 } }), members)],
  ['#8550', world('1.0.0-beta.40', 'Restore', 'Creating', {})],
  ['#10053', world('1.0.2', 'RebuildInstance', 'Running', { rebuildFrom: [{ componentName: 'shard-x2k' }] }, sharded())],
  ['#9170', world('1.0.0-beta.41', 'Restart', 'Running', {})],
  ['#10461', world('1.0.2', 'Upgrade', 'Running', { upgrade: { components: [{ componentName: 'broker', serviceVersion: '17.5' }] } })],
  ['#7460', world('0.8.4', 'VolumeExpansion', 'Running', {})],
  ['#7786', world('0.9.0', 'Stop', 'Running', {}, had('broker', {}))],
  ['#9202', world('0.9.3', 'Expose', 'Running', { expose: [{ componentName: 'shard', switch: 'Disable' }] }, sharded())],
  [
    '#8718',
    world('1.0.0-beta.30', 'VerticalScaling', 'Running', { verticalScaling: [{ componentName: 'broker', requests: { cpu: '1' } }] }),
  ],
  [
    '#10133',
    world(
      '1.0.2',
      'Restart',
      'Running',
      {},
      all(sharded({ componentDef: 'redis-cluster-7', systemAccounts: [{ name: 'default' }] }), (it) =>
        Object.assign(it.op.status, { components: { shard: {} } }),
      ),
    ),
  ],
  ['#10529', world('1.1.0', 'Restart', 'Running', {}, detail('Succeed', 'kafka-broker-0'))],
  ['#10522', world('1.0.2', 'HorizontalScaling', 'Succeed', online, notJoined)],
];

describe('the family: those that a person is told of', () => {
  it.each(ROWS)('%s', async (issue, it) => {
    const verdict = await verdictIn(it);
    expect(verdict).toMatchObject({
      kind: 'report',
      evidence: { ...allLive({ issue: `apecloud/kubeblocks${issue}` }), affects: TEXT, cause: TEXT },
    });
    expect(verdict.kind === 'report' && verdict.advice.length).toBeGreaterThan(0);
  });

  it.each(ROWS.filter(([issue]) => issue !== '#10461'))(
    '%s is not told of in its first three minutes: healthy operations look the same',
    async (_, it) => {
      Object.assign(it.op.status, { startTimestamp: ago(170), completionTimestamp: ago(60) });
      it.op.metadata.creationTimestamp = ago(175);
      expect(await verdictIn(it)).toMatchObject({ kind: 'wait' });
    },
  );

  it.each([
    ['a later KubeBlocks', world('1.0.3', 'RebuildInstance', 'Running', { rebuildFrom: [{ componentName: 'shard-x2k' }] }, sharded())],
    [
      'a rebuild in place',
      world('1.0.2', 'RebuildInstance', 'Running', { rebuildFrom: [{ componentName: 'shard-x2k', inPlace: true }] }, sharded()),
    ],
    [
      'a version with all its parts',
      world('1.0.2', 'Upgrade', 'Running', { upgrade: { components: [{ componentName: 'broker', serviceVersion: '17.5.0' }] } }),
    ],
    [
      'a pod that is not ready',
      world('1.1.0', 'HorizontalScaling', 'Running', online, (it) => [
        detail('Pending')(it),
        Object.assign(it, { pods: [pod('kafka-broker-1', false)] }),
      ]),
    ],
    [
      'revisions that are listed',
      world('1.0.0', 'HorizontalScaling', 'Running', online, (it) => [
        detail('Pending')(it),
        Object.assign(it.instanceSets[0]?.status ?? {}, { currentRevisions: { 'kafka-broker-1': 'x' } }),
      ]),
    ],
    [
      'a member that leaves',
      world('1.0.0', 'HorizontalScaling', 'Running', offline, (it) => [detail('Pending')(it), Object.assign(it, { pods: [] })]),
    ],
  ])('nobody is told of %s', async (_, it) => {
    expect(await verdictIn(it)).toMatchObject({ kind: 'wait' });
  });
});
