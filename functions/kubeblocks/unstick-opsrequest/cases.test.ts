import { describe, expect, it } from '@jest/globals';
import { allLive } from '../../../shared/evidence.ts';
import type { Fix } from '../../../shared/verdict.ts';
import { ago, pod, verdictIn, type World } from '../../../test/fixtures/kubeblocks.ts';
import {
  backup,
  behind,
  components,
  empty,
  event,
  GROWN,
  grownPods,
  job,
  jobs,
  last,
  parameter,
  ranged,
  restored,
  shards,
  stopped,
  upgrade,
  upgrading,
  world,
  young,
} from '../../../test/fixtures/kubeblocks-family.ts';
import { CASES } from './cases.ts';

describe('the family: those that are mended', () => {
  it.each<[string, World, string]>([
    [
      '#9790',
      world(
        'HorizontalScaling',
        'Running',
        { horizontalScaling: [{ componentName: 'shard', shards: 2 }] },
        { progress: '0/0', ...last('shard', { shards: 2 }) },
        shards(),
      ),
      'abort',
    ],
    [
      '#9779',
      world('VerticalScaling', 'Running', { verticalScaling: [{ componentName: 'broker', ...GROWN }] }, {}, (it) => [
        ranged(it),
        Object.assign(it, { pods: grownPods('1500m') }),
      ]),
      'abort',
    ],
    ['#9908', world('Stop', 'Running', {}, {}, (it) => [components(it, stopped, empty), Object.assign(it, { pods: [] })]), 'abort'],
    ['#9908', world('Start', 'Running', {}, {}, (it) => components(it, { ...stopped, stop: false }, { ...empty, stop: false })), 'abort'],
    [
      '#9966',
      world(
        'VerticalScaling',
        'Cancelling',
        { verticalScaling: [{ componentName: 'shard', ...GROWN }] },
        { cancelTimestamp: ago(90), ...last('shard', { requests: { cpu: '1' } }) },
        shards({ resources: { requests: { cpu: '1000m' } } }),
      ),
      'abort',
    ],
    ['#10118', world('Restart', 'Pending', {}, {}, behind(true)), 'delete'],
    ['#10112', world('Restore', 'Creating', {}, {}, event('restore time is out of range')), 'delete'],
    ['#9733', world('Restart', 'Running', { restart: [{ componentName: 'broker' }] }, {}, restored([])), 'forget the backup'],
    ['#9540', world('Reconfiguring', 'Running', {}, {}, parameter('not found config description from pdcr: x')), 'abort'],
    ['#8417', world('Upgrade', 'Running', upgrade, {}, (it) => upgrading(it, 'mirror.example:5000/apecloud/kafka:3.8')), 'abort'],
    ['#8372', world('Switchover', 'Running', {}, {}, jobs(job('SuccessCriteriaMet', 'Complete'))), 'abort'],
  ])('%s', async (issue, it, remedy) => {
    const verdict = (await verdictIn(it)) as Fix;
    expect(verdict).toMatchObject({ kind: 'fix', evidence: allLive({ remedy, issue: `apecloud/kubeblocks${issue}` }) });
    expect(verdict.approval).toBe(remedy === 'delete' ? 'always' : undefined);
    if (remedy === 'abort')
      expect(verdict.steps).toEqual([expect.objectContaining({ kind: 'merge-patch', patch: { spec: { timeoutSeconds: 1 } } })]);
    if (remedy === 'delete')
      expect(verdict.steps).toEqual([
        expect.objectContaining({ kind: 'delete', target: expect.objectContaining({ name: 'op', uid: 'uid-op' }) }),
      ]);
  });

  it('#9733 forgets the backup on the Component, and only that', async () => {
    const { steps } = (await verdictIn(world('Restart', 'Running', { restart: [{ componentName: 'broker' }] }, {}, restored([])))) as Fix;
    const path = '/metadata/annotations/kubeblocks.io~1restore-from-backup';
    expect(steps).toMatchObject([
      {
        target: { resource: 'components', uid: 'uid-component' },
        operations: [
          { op: 'test', path },
          { op: 'remove', path },
        ],
      },
    ]);
  });
});

describe('what looks like one of the family', () => {
  const scaledTo = (wanted: number, before: number) =>
    world(
      'HorizontalScaling',
      'Running',
      { horizontalScaling: [{ componentName: 'shard', shards: wanted }] },
      { progress: '0/0', ...last('shard', { shards: before }) },
      shards(),
    );
  const vertical = { verticalScaling: [{ componentName: 'broker', ...GROWN }] };
  it.each<[string, World]>([
    ['shards that grow', scaledTo(2, 1)],
    ['shards the Cluster does not have yet', scaledTo(3, 3)],
    [
      'ordinal ranges while a pod has not the new resources',
      world('VerticalScaling', 'Running', vertical, {}, (it) => [ranged(it), Object.assign(it, { pods: grownPods('1') })]),
    ],
    [
      'a vertical scaling without ordinal ranges',
      world('VerticalScaling', 'Running', vertical, {}, (it) => Object.assign(it, { pods: grownPods('1500m') })),
    ],
    ['a stop while pods go', world('Stop', 'Running', {}, {}, (it) => components(it, stopped, empty))],
    [
      'a stop with no empty component',
      world('Stop', 'Running', {}, {}, (it) => [components(it, stopped), Object.assign(it, { pods: [] })]),
    ],
    [
      'a stop that has just begun',
      world('Stop', 'Running', {}, young, (it) => [components(it, stopped, empty), Object.assign(it, { pods: [] })]),
    ],
    [
      'a start while a pod is not ready',
      world('Start', 'Running', {}, {}, (it) => [
        components(it, { ...stopped, stop: false }, { ...empty, stop: false }),
        Object.assign(it, { pods: [pod('kafka-broker-0', false), pod('kafka-broker-1')] }),
      ]),
    ],
    [
      'a cancel that has not put the shards back',
      world(
        'VerticalScaling',
        'Cancelling',
        { verticalScaling: [{ componentName: 'shard' }] },
        { cancelTimestamp: ago(90), ...last('shard', { requests: { cpu: '1' } }) },
        shards({ resources: { requests: { cpu: '2' } } }),
      ),
    ],
    ['a dependency that runs', world('Restart', 'Pending', {}, {}, behind(false))],
    ['a restore that is refused for another reason', world('Restore', 'Creating', {}, {}, event('backup not found'))],
    [
      'a restart of a restored component whose backup exists',
      world('Restart', 'Running', { restart: [{ componentName: 'broker' }] }, {}, restored([backup])),
    ],
    [
      'a restart while the restore goes on',
      world('Restart', 'Running', { restart: [{ componentName: 'broker' }] }, {}, restored([], 'false')),
    ],
    ['a parameter that is being set', world('Reconfiguring', 'Running', {}, {}, parameter('running'))],
    [
      'an upgrade while a pod has the old image',
      world('Upgrade', 'Running', upgrade, {}, (it) => upgrading(it, 'mirror.example:5000/apecloud/kafka:3.7')),
    ],
    [
      'an upgrade with the very image',
      world('Upgrade', 'Running', upgrade, {}, (it) => upgrading(it, 'registry.example/apecloud/kafka:3.8')),
    ],
    ['a switchover whose job runs', world('Switchover', 'Running', {}, {}, jobs(job()))],
    ['a switchover whose job is complete first of all', world('Switchover', 'Running', {}, {}, jobs(job('Complete')))],
    [
      'an operation that aborts itself in a moment',
      world(
        'HorizontalScaling',
        'Running',
        { timeoutSeconds: 600, horizontalScaling: [{ componentName: 'shard', shards: 2 }] },
        { progress: '0/0', ...last('shard', { shards: 2 }) },
        shards(),
      ),
    ],
  ])('is left alone: %s', async (_, it) => {
    expect(await verdictIn(it)).toMatchObject({ kind: 'wait' });
  });

  it('is a doubt where what decides cannot be read', async () => {
    await expect(verdictIn(world('Switchover', 'Running'))).rejects.toThrow('not recorded');
  });

  it('#8372 is reported on 0.9, whose webhooks refuse a timeout', async () => {
    const it = world('Switchover', 'Running', {}, {}, jobs(job('SuccessCriteriaMet', 'Complete')));
    expect(await verdictIn(it, { group: 'apps.kubeblocks.io' })).toMatchObject({
      kind: 'report',
      evidence: allLive({ issue: 'apecloud/kubeblocks#8372' }),
    });
  });

  it('a timeout that does not end it is reported', async () => {
    const it = world(
      'HorizontalScaling',
      'Running',
      { timeoutSeconds: 1, horizontalScaling: [{ componentName: 'shard', shards: 2 }] },
      { progress: '0/0', ...last('shard', { shards: 2 }) },
      shards(),
    );
    expect(await verdictIn(it)).toMatchObject({ kind: 'report', because: expect.stringContaining('does not end it') });
  });
});

describe('the list of cases', () => {
  it('names every defect once, with its versions and its cause', () => {
    const issues = CASES.map(({ issue }) => issue);
    expect(new Set(issues).size).toBe(issues.length);
    for (const { issue, affects, because, phases } of CASES) expect([issue, affects, because, phases.join()]).not.toContain('');
    expect(issues).toEqual(
      expect.arrayContaining('9000 9790 9779 9908 9966 10118 10112 9733 9540 8417 8372'.split(' ').map((number) => `#${number}`)),
    );
  });
});
