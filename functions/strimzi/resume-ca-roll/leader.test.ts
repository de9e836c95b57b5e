import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../shared/verdict.ts';
import { but, deployment, lease, NOW, remembered, verdictIn, type World } from '../../../test/fixtures/strimzi-ca.ts';

describe('strimzi/resume-ca-roll, while the operator is not known to be dead', () => {
  it.each<[string, Partial<World>, Verdict['kind'], RegExp]>([
    ['the leader renewed its lease', { lease: lease('operator-a', '2026-11-21T02:28:01.000000Z') }, 'wait', /has a leader/],
    ['another leader came', { lease: lease('operator-b', '2026-11-21T02:28:01.000000Z') }, 'wait', /has a leader/],
    [
      'the lease moved a second less than its duration ago',
      { memory: remembered({ seen: { ...seen(), since: NOW - 14_999 } }) },
      'wait',
      /has a leader/,
    ],
    [
      "the leader's clock is an hour behind, and it renews",
      { lease: lease('operator-a', '2026-11-21T01:28:01.000000Z') },
      'wait',
      /has a leader/,
    ],
    ['it is the first look: nobody watched the lease yet', { memory: undefined }, 'wait', /has a leader/],
    ['the operator was stopped and released its lease', { lease: lease('') }, 'wait', /stopped properly/],
    ['there is no lease', { lease: undefined }, 'wait', /cannot be told/],
    ['no operator is found', { deployments: [], memory: undefined }, 'wait', /cannot be told/],
    [
      'the operator elects no leader',
      { deployments: [deployment('0.43.0', { STRIMZI_LEADER_ELECTION_ENABLED: 'false' })], memory: undefined },
      'wait',
      /cannot be told/,
    ],
    [
      'the lease has another name',
      { deployments: [deployment('0.43.0', { STRIMZI_LEADER_ELECTION_LEASE_NAME: 'mine' })], memory: undefined },
      'wait',
      /cannot be told/,
    ],
    [
      'the operator watches another namespace',
      { deployments: [deployment('0.43.0', { STRIMZI_NAMESPACE: 'a,b' })], memory: undefined },
      'wait',
      /cannot be told/,
    ],
    [
      'two operators watch the namespace',
      { deployments: [deployment('0.43.0'), deployment('0.43.0', { STRIMZI_NAMESPACE: '*' }, 'other')], memory: undefined },
      'wait',
      /cannot be told/,
    ],
    [
      'the operator was installed again in another namespace, and left its lease behind',
      { deployments: [moved(deployment('0.43.0', { STRIMZI_NAMESPACE: '*' }), 'strimzi-new')] },
      'wait',
      /cannot be told/,
    ],
    [
      'the operator elects no leader any more',
      { deployments: [deployment('0.43.0', { STRIMZI_LEADER_ELECTION_ENABLED: 'false' })] },
      'wait',
      /cannot be told/,
    ],
    [
      'the operator has another lease by now',
      { deployments: [deployment('0.43.0', { STRIMZI_LEADER_ELECTION_LEASE_NAME: 'mine' })] },
      'wait',
      /cannot be told/,
    ],
    [
      'a Deployment that runs no pod says that it watches the namespace, and left a lease',
      { deployments: [but(deployment('0.43.0'), { spec: { replicas: 0 } })] },
      'wait',
      /cannot be told/,
    ],
    [
      'the operator watches all namespaces by default, and another Deployment says that it does too',
      {
        deployments: [
          moved(deployment('0.43.0', { STRIMZI_NAMESPACE: '' }), 'strimzi'),
          deployment('0.43.0', { STRIMZI_NAMESPACE: '*' }, 'other'),
        ],
      },
      'wait',
      /cannot be told/,
    ],
    [
      'the lease has no duration',
      { lease: but(lease('operator-a'), { spec: { leaseDurationSeconds: 0 } }), memory: remembered({ seen: null }) },
      'wait',
      /cannot be told/,
    ],
  ])('writes nothing when %s', async (_, world, kind, because) => {
    const verdict = await verdictIn(world);
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });
});

describe('strimzi/resume-ca-roll, when the operator died', () => {
  it.each(['', '*', ' * ', 'kafka', 'team-a,kafka , team-b'])('fixes where STRIMZI_NAMESPACE is "%s"', async (namespaces) => {
    expect(await verdictIn({ deployments: [deployment('0.43.0', { STRIMZI_NAMESPACE: namespaces })] })).toMatchObject({ kind: 'fix' });
  });

  it('does not count a Deployment that runs no pod as a second operator', async () => {
    const stopped = but(deployment('0.42.0', { STRIMZI_NAMESPACE: '*' }, 'old'), { spec: { replicas: 0 } });
    expect(await verdictIn({ deployments: [deployment('0.43.0'), stopped] })).toMatchObject({ kind: 'fix' });
  });
});

function moved(object: World['deployments'][0], namespace: string): World['deployments'][0] {
  return but(object, { metadata: { namespace } });
}

function seen() {
  const { seen } = remembered();
  if (!seen) throw new Error();
  return seen;
}
