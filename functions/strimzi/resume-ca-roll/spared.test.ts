import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../../shared/canonical.ts';
import type { Verdict } from '../../../shared/verdict.ts';
import { but, interruptedWorld, key, pod, podSet, verdictIn, type World } from '../../../test/fixtures/strimzi-ca.ts';

const { pods, memory } = interruptedWorld();
const [_zero, _one, two] = pods as [World['pods'][0], World['pods'][0], World['pods'][0]];
const ALL_3 = { podSet: podSet(['3', '3', '3']), pods: pods.map(({ metadata }) => pod(metadata.name, 30, { trusts: '3' })) };

describe('strimzi/resume-ca-roll, after the fix', () => {
  const fixed: Record<string, Json> = {
    generation: '3',
    pods: Object.fromEntries(pods.map(({ metadata: { name, uid } }) => [name, { uid: uid ?? null }])),
  };
  const own = (generation: string) =>
    but(interruptedWorld().ownCertificate, { metadata: { annotations: { 'strimzi.io/cluster-ca-cert-generation': generation } } });

  it.each<[string, Partial<World>, Verdict['kind'], RegExp]>([
    ['waits for the operator', {}, 'wait', /not gone on/],
    ['is over when the operator has its new certificate', { ownCertificate: own('3') }, 'clear', /took the roll for done/],
    [
      'is over when the StrimziPodSets are of the new certificate',
      { podSet: podSet(['3', '3', '3'], '3') },
      'clear',
      /took the roll for done/,
    ],
    [
      'came too late when a pod was restarted for trust again',
      { pods: [...ALL_3.pods.slice(0, 2), but(ALL_3.pods[2] ?? two, { metadata: { uid: 'another' } })] },
      'report',
      /too late/,
    ],
    ['says when the key changed meanwhile', { key: key('4'), podSet: podSet(['4', '4', '4']), pods: [] }, 'report', /replaced again/],
    ['finds its marks taken back', { podSet: podSet(['2', '2', '2']), pods, memory }, 'fix', /died in roll 1/],
  ])('%s', async (_, world, kind, because) => {
    const verdict = await verdictIn({ ...ALL_3, fixed, ...world }, 'verify');
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });
});
