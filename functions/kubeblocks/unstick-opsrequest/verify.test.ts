import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../shared/verdict.ts';
import { broker, pod, stuck, verdictIn, type World } from '../../../test/fixtures/kubeblocks.ts';

type Change = (world: World) => void;

describe('verifying', () => {
  const raised = { remedy: 'raise replicas', missing: ['kafka-broker-2'] };
  it.each<[string, object, Change, Verdict['kind']]>([
    ['the raise while the pod starts', raised, (world) => Object.assign(broker(world), { replicas: 3 }), 'wait'],
    ['the raise when somebody lowered the replicas again', raised, () => undefined, 'fix'],
    [
      'the raise when the pod came',
      raised,
      (world) => [Object.assign(world.op.status, { phase: 'Succeed' }), world.pods.push(pod('kafka-broker-2'))],
      'clear',
    ],
    ['the raise when it ended without the pod', raised, ({ op }) => Object.assign(op.status, { phase: 'Succeed' }), 'report'],
    ['the raise when it failed', raised, ({ op }) => Object.assign(op.status, { phase: 'Failed' }), 'report'],
    ['an abort too early', { remedy: 'abort' }, () => undefined, 'wait'],
    ['an abort', { remedy: 'abort' }, ({ op }) => Object.assign(op.status, { phase: 'Aborted' }), 'clear'],
    ['a deletion too early', { remedy: 'delete' }, () => undefined, 'wait'],
  ])('%s', async (_, fixed, change, kind) => {
    expect(await verdictIn(stuck(change), { question: 'verify', fixed: fixed as Record<string, string> })).toMatchObject({ kind });
  });
});
