import { beforeAll, describe, expect, it } from '@jest/globals';
import { allLive, hint, live } from '../../../shared/evidence.ts';
import { actor, deployment, kafka, loadCrds, NOW, verdictIn } from '../../../test/fixtures/strimzi-crds.ts';

beforeAll(loadCrds);

describe('strimzi/upgrade-stale-crds, while the version of the operator is unknown', () => {
  it('reports the finding, what each source says and what prevents the fix when the operator is an unknown build', async () => {
    const custom = deployment('0.43.0-custom1');
    expect(await verdictIn({ deployments: [custom] })).toMatchObject({
      kind: 'report',
      because:
        'the live CRD drops status.registeredNodeIds, which Strimzi 0.43.0 writes. No fix is planned, because the image tag names the version 0.43.0-custom1, which is not a release of Strimzi',
      evidence: {
        ...allLive({ missing: ['registeredNodeIds'], crd: 'crd-1' }),
        operators: live([{ operator: 'strimzi/strimzi-cluster-operator', says: ['0.43.0-custom1 (the image tag)'] }]),
        userAgents: hint(['0.43.0']),
      },
      advice: [expect.stringContaining('Find out which version'), expect.stringContaining('apply them by hand')],
    });
  });

  it.each([
    ['0.41.0@sha256:0', '0.41.0'],
    ['0.41.0-corp1', '0.41.0'],
    ['latest', '0.41.0'],
  ])('plans no CRD that a user agent names while the operator runs image %s and nothing is missing', async (tag, status) => {
    for (const forged of ['0.43.0', '0.44.0']) {
      const world = { deployments: [deployment(tag)], kafka: kafka({ operatorLastSuccessfulVersion: status }), actors: [actor(forged)] };
      expect((await verdictIn(world)).kind).not.toBe('fix');
    }
  });

  it('waits for an upgrade in flight, then reports what the live CRD drops', async () => {
    const world = { actors: [actor('0.42.0')] };
    expect(await verdictIn(world)).toMatchObject({ kind: 'wait', because: expect.stringContaining('calls itself 0.42.0') });
    expect(await verdictIn({ ...world, detectedAt: NOW - 16 * 60_000 })).toMatchObject({
      kind: 'report',
      because: expect.stringMatching(/^the live CRD drops status.registeredNodeIds.*calls itself 0.42.0/),
    });
  });
});
