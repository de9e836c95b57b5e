import { describe, expect, it } from '@jest/globals';
import { allLive } from '../../../../shared/evidence.ts';
import { ago, broker, instanceSet, pod, queued, scaling, stuck, verdictIn, type World } from '../../../../test/fixtures/kubeblocks.ts';

type Change = (world: World) => unknown;

describe('an ordinal gap (#9457)', () => {
  const gap: Change = (world) => {
    Object.assign(broker(world), { replicas: 3 });
    world.instanceSets = [instanceSet('broker', 3)];
    world.pods.push(pod('kafka-broker-2'));
    Object.assign(scaling(world).scaleOut ?? {}, { offlineInstancesToOnline: ['kafka-broker-4'] });
    world.op.status.components = { broker: { progressDetails: [{ objectKey: 'Pod/kafka-broker-4', status: 'Pending' }] } };
  };

  it('is reported and never raised, with or without a queue', async () => {
    for (const change of [gap, (world: World) => [gap(world), queued()(world)]]) {
      const verdict = await verdictIn(stuck(change));
      expect(verdict).toMatchObject({
        kind: 'report',
        because: expect.stringContaining('another pod'),
        evidence: allLive({ issue: 'apecloud/kubeblocks#9457' }),
      });
    }
  });

  it('is not reported in the first seconds', async () => {
    expect(await verdictIn(stuck((world) => [gap(world), Object.assign(world.op.status, { startTimestamp: ago(5) })]))).toMatchObject({
      kind: 'wait',
    });
  });
});

describe('an operation that ended without the pod', () => {
  const silent: Change = ({ op }) => Object.assign(op.status, { phase: 'Succeed', progress: '0/0', components: {} });

  it('is reported: 0.9.0 to 0.9.3 do that, in the API of 0.9', async () => {
    const world = stuck((it) => {
      silent(it);
      it.op.apiVersion = 'apps.kubeblocks.io/v1alpha1';
    });
    const verdict = await verdictIn(world, { group: 'apps.kubeblocks.io' });
    expect(verdict).toMatchObject({
      kind: 'report',
      because: expect.stringContaining('progress 0/0'),
      evidence: allLive({ issue: 'apecloud/kubeblocks#9000' }),
    });
  });

  it('is no news when somebody took it offline again', async () => {
    const again: Change = (world) => [silent(world), Object.assign(broker(world), { offlineInstances: ['kafka-broker-2'] })];
    expect(await verdictIn(stuck(again))).toMatchObject({ kind: 'clear' });
  });

  it('is no news when somebody scaled since', async () => {
    expect(await verdictIn(stuck((world) => [silent(world), Object.assign(broker(world), { replicas: 1 })]))).toMatchObject({
      kind: 'clear',
    });
  });
});
