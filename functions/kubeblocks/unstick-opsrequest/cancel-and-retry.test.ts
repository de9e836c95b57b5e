import { describe, expect, it } from '@jest/globals';
import type { Fix, Verdict } from '../../../shared/verdict.ts';
import { ago, broker, operation, pod, queued, scaling, setQueue, stuck, verdictIn, type World } from '../../../test/fixtures/kubeblocks.ts';

type Change = (world: World) => void;

describe('after our cancel', () => {
  const cancelled: Change = (world) => {
    Object.assign(world.op.spec, { cancel: true });
    world.op.metadata.managedFields?.push({
      manager: 'kubemend',
      operation: 'Update',
      time: ago(9),
      fieldsV1: { 'f:spec': { 'f:cancel': {} } },
    });
    Object.assign(world.op.status, { phase: 'Cancelled', completionTimestamp: ago(8) });
    Object.assign(broker(world), { offlineInstances: ['kafka-broker-2'] });
    setQueue(world);
  };

  const ours = { wrote: [{ remedy: 'cancel and ask again' }] };

  it.each<[string, Record<string, string>[]]>([
    ['the incident wrote nothing', []],
    ['the incident wrote something else', [{ remedy: 'raise replicas' }]],
  ])('a person who cancelled it with the field manager kubemend keeps the cancel when %s', async (_, wrote) => {
    for (const question of ['detect', 'confirm', 'verify'] as const)
      expect(await verdictIn(stuck(cancelled), { question, wrote })).toMatchObject({
        kind: 'clear',
        because: expect.stringMatching(/Cancelled/),
      });
  });

  it.each(['verify', 'confirm', 'before-write'] as const)(
    'the request is made again with a number, as its own plan, when asked to %s',
    async (question) => {
      const { steps, continues } = (await verdictIn(stuck(cancelled), { ...ours, question })) as Fix;
      expect(continues).toBe(true);
      expect(steps).toEqual([
        expect.objectContaining({
          kind: 'create',
          object: {
            apiVersion: 'operations.kubeblocks.io/v1alpha1',
            kind: 'OpsRequest',
            metadata: { name: 'online-broker-2-retry', namespace: 'demo' },
            spec: {
              ...{ clusterName: 'kafka', type: 'HorizontalScaling', preConditionDeadlineSeconds: 300 },
              horizontalScaling: [
                { componentName: 'broker', scaleOut: { offlineInstancesToOnline: ['kafka-broker-2'], replicaChanges: 1 } },
              ],
            },
          },
        }),
      ]);
    },
  );

  it.each<[string, Change, Verdict['kind'], RegExp]>([
    ['somebody else cancelled it', ({ op }) => op.metadata.managedFields?.pop(), 'clear', /Cancelled/],
    ['it is being carried out', ({ op }) => Object.assign(op.status, { phase: 'Cancelling' }), 'wait', /carried out/],
    ['it came too late', ({ op }) => Object.assign(op.status, { phase: 'Succeed' }), 'clear', /before our cancel/],
    ['the Cluster is not settled', ({ cluster }) => Object.assign(cluster.status, { phase: 'Updating' }), 'wait', /not settled/],
    ['others come first', ({ others }) => others.push(operation('next', 'Restart', 'Running')), 'wait', /next/],
    ['the pod is there', ({ pods }) => pods.push(pod('kafka-broker-2')), 'clear', /online/],
    ['the Cluster was changed', (world) => Object.assign(broker(world), { offlineInstances: [] }), 'report', /no longer/],
    ['the other pod would come', (world) => Object.assign(broker(world), { replicas: 1 }), 'report', /no longer/],
    ['it was long ago', ({ op }) => Object.assign(op.status, { completionTimestamp: ago(9_000) }), 'clear', /long ago/],
    [
      'the second request runs',
      ({ others }) => others.push(operation('online-broker-2-retry', 'HorizontalScaling', 'Running')),
      'wait',
      /retry is Running/,
    ],
    [
      'the second request succeeded',
      ({ others }) => others.push(operation('online-broker-2-retry', 'HorizontalScaling', 'Succeed')),
      'clear',
      /brought/,
    ],
    [
      'the second request failed',
      ({ others }) => others.push(operation('online-broker-2-retry', 'HorizontalScaling', 'Failed')),
      'report',
      /Failed/,
    ],
  ])('nothing is asked when %s', async (_, change, kind, because) => {
    const verdict = await verdictIn(
      stuck((world) => [cancelled(world), change(world)]),
      ours,
    );
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });

  it.each<[string, Change, RegExp]>([
    [
      'somebody changed the component since',
      (world) => Object.assign(broker(world), { replicas: 2, offlineInstances: ['kafka-broker-7'] }),
      /would undo/,
    ],
    [
      'more than instances is asked for',
      (world) => Object.assign(scaling(world).scaleOut ?? {}, { newInstances: [{}] }),
      /more than these/,
    ],
  ])('the cancel itself is refused when %s', async (_, change, because) => {
    const verdict = await verdictIn(stuck((world) => [queued()(world), change(world)]));
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind: 'report', because: expect.stringMatching(because) });
  });
});
