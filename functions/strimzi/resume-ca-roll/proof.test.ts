import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../shared/verdict.ts';
import { but, interruptedWorld, later, pod, podSet, restart, verdictIn, type World } from '../../../test/fixtures/strimzi-ca.ts';

const { pods } = interruptedWorld();
const [zero, one, two] = pods as [World['pods'][0], World['pods'][0], World['pods'][0]];

describe('strimzi/resume-ca-roll, pod by pod', () => {
  it.each<[string, Partial<World>, Verdict['kind'], RegExp]>([
    [
      'the only stale pod is just being replaced',
      { podSet: podSet(['2'], '2', ['my-cluster-dual-0']), pods: [] },
      'wait',
      /my-cluster-dual-0 is not there/,
    ],
    [
      'one pod was not rolled',
      { pods: [zero, one, pod('my-cluster-dual-2', -300)] },
      'wait',
      /my-cluster-dual-2 was created at .*: it has not been rolled$/,
    ],
    [
      'a pod was restarted 1 s too early',
      { pods: [zero, one, pod('my-cluster-dual-2', -1)], events: [...interruptedWorld().events, restart('my-cluster-dual-2', -2)] },
      'wait',
      /not been rolled$/,
    ],
    [
      'a pod was created in the second in which the bundle came',
      { pods: [zero, one, pod('my-cluster-dual-2', 0.2)], events: [...interruptedWorld().events, restart('my-cluster-dual-2', 0.1)] },
      'wait',
      /my-cluster-dual-2 was created .* not been rolled$/,
    ],
    ['a pod came back at once, and the operator did not tell why', { events: [] }, 'wait', /dual-1 was created .* did not tell/],
    ['the only word about it is of the roll before', { events: [restart('my-cluster-dual-1', -140)] }, 'wait', /did not tell/],
    ...Object.entries<object>({
      'another controller wrote': { reportingController: 'kubemend.dev/strimzi' },
      'another action has': { action: 'Killing' },
      'is about a ConfigMap of that name': { regarding: { kind: 'ConfigMap', namespace: 'kafka', name: 'my-cluster-dual-1' } },
      'is about a Pod of another namespace': { regarding: { kind: 'Pod', namespace: 'tenant', name: 'my-cluster-dual-1' } },
      'is about the new pod': {
        regarding: { kind: 'Pod', namespace: 'kafka', name: 'my-cluster-dual-1', uid: 'uid-my-cluster-dual-1' },
      },
      'has a time in the future': { eventTime: '2030-01-01T00:00:00Z' },
      'came long after the new pod': { eventTime: later(20) },
    }).map(([what, change]): [string, Partial<World>, Verdict['kind'], RegExp] => [
      `the only Event of the restart ${what}`,
      { events: [restart('my-cluster-dual-1', 1.4, change)] },
      'wait',
      /did not tell/,
    ]),
    ['a pod is missing', { pods: [zero, one] }, 'wait', /my-cluster-dual-2 is not there/],
    [
      'a pod is being deleted',
      { pods: [zero, one, but(two, { metadata: { deletionTimestamp: later(45) } })] },
      'wait',
      /dual-2 is being deleted/,
    ],
    [
      'a pod is not Ready',
      { pods: [zero, one, but(two, { status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: later(25) }] } })] },
      'wait',
      /has not been Ready/,
    ],
    [
      'a pod is Ready for 10 s only if a cut-off second is counted',
      { pods: [zero, one, pod('my-cluster-dual-2', 30)] },
      'wait',
      /has not been Ready/,
    ],
    [
      'a container is starting',
      { pods: [zero, one, but(two, { status: { containerStatuses: [{ name: 'kafka', ready: false, state: { waiting: {} } }] } })] },
      'wait',
      /still starting/,
    ],
    [
      'a container started before the bundle by its own clock',
      {
        pods: [
          zero,
          one,
          but(two, { status: { containerStatuses: [{ name: 'kafka', ready: true, state: { running: { startedAt: later(-3) } } }] } }),
        ],
      },
      'wait',
      /was started at/,
    ],
    ['a pod does not mount the bundle', { pods: [zero, one, but(two, { spec: { volumes: [] } })] }, 'wait', /does not mount/],
    [
      'a pod belongs to nobody',
      { pods: [zero, one, but(two, { metadata: { ownerReferences: [] } })] },
      'wait',
      /belongs to no StrimziPodSet/,
    ],
    [
      'a pod is two generations behind',
      { pods: [zero, one, pod('my-cluster-dual-2', 24, { trusts: '1' })] },
      'wait',
      /marked with generation 1/,
    ],
    [
      'one entity operator pod is not rolled',
      {
        pods: [
          ...pods,
          but(pod('my-cluster-entity-operator-1-x', -500), {
            metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', controller: true }] },
          }),
        ],
      },
      'wait',
      /entity-operator-1-x was created/,
    ],
  ])('writes nothing when %s', async (_, world, kind, because) => {
    const verdict = await verdictIn(world);
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });
});
