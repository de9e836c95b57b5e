import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../shared/verdict.ts';
import {
  condition,
  deployment,
  every,
  NOW,
  pipeline,
  revision,
  secret,
  verdictIn,
  type World,
} from '../../../test/fixtures/kubero-pipelines.ts';

const failing = (type: string, reason: string, minutes: number) => [condition(type, reason, minutes)];

describe('after the annotation', () => {
  const fixed = { operator: '0.2.1', registry: 'copy', period: '3m', generation: 1 };
  const written = NOW - 600_000;
  /** The newest revision was made so many seconds after the annotation, and the one before it 100 s earlier. */
  const later = (seconds: number, world: Partial<World> = {}) =>
    verdictIn({
      pipeline: every('1h', written),
      ...{ fixed, memory: undefined, fact: revision(9) },
      secrets: [secret(8, written + (seconds - 100) * 1_000), secret(9, written + seconds * 1_000)],
      ...world,
    });

  it.each<[string, () => Promise<Verdict>, Verdict['kind'], RegExp]>([
    ['waits while no revision is newer than the annotation: silence proves nothing', () => later(-30), 'wait', /has not answered/],
    ['waits while the release has no revision at all', () => later(0, { secrets: [] }), 'wait', /has not answered/],
    [
      'is not convinced by a fact that claims a revision nobody can read',
      () => later(-30, { fact: revision(10, written + 170_000) }),
      'wait',
      /has not answered/,
    ],
    ['waits for one old period after the second revision', () => later(178, { now: written + 179_000 }), 'wait', /one old period/],
    ['is done when the second revision is an old period ago', () => later(178), 'clear', /no further revision/],
    ['is done when only one revision answered, an old period ago', () => later(1), 'clear', /no further revision/],
    [
      'waits at a third revision, which a restart of the operator makes too',
      () => later(360, { now: written + 361_000 }),
      'wait',
      /one old period/,
    ],
    ['is done when the release rests after the third revision', () => later(360), 'clear', /no further revision/],
    ['reports revisions that go on in the old rhythm', () => later(540), 'report', /third revision came after the annotation, and more/],
    [
      'waits while the operator is scaled to zero: its release rests for that reason',
      () => later(178, { deployments: [deployment('ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.1', 'kubero', 0)] }),
      'wait',
      /does not run/,
    ],
    [
      'waits while the release fails',
      () => later(178, { pipeline: pipeline({}, {}, failing('ReleaseFailed', 'UpgradeError', 9)) }),
      'wait',
      /fails/,
    ],
    [
      'is done when the pipeline is switched to create',
      () => later(178, { pipeline: pipeline({ registry: { createSecret: 'create' } }) }),
      'clear',
      /no credentials/,
    ],
    ['asks for the annotation again when it was removed', () => later(178, { pipeline: pipeline() }), 'fix', /every reconciliation/],
    ['is done when the pipeline is gone', () => later(178, { pipeline: undefined }), 'clear', /no KuberoPipeline/],
  ])('the verification %s', async (_, ask, kind, because) => {
    const verdict = await ask();
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });

  it('verifies the trial with a real operator that was restarted after the second revision: v12 and v13, then v14', async () => {
    const at = (time: string): number => Date.parse(`2026-11-30T${time}Z`);
    const asked = (now: string, versions: [number, string][]) =>
      verdictIn({
        pipeline: every('1h', at('19:28:58')),
        ...{ fixed: { ...fixed, period: '1m' }, memory: undefined, now: at(now) },
        secrets: versions.map(([version, time]) => secret(version, at(time))),
      });
    const restarted: [number, string][] = [
      [13, '19:29:35'],
      [14, '19:30:38'],
    ];
    expect(await asked('19:30:39', restarted)).toMatchObject({ kind: 'wait' });
    expect(await asked('19:32:00', restarted)).toMatchObject({ kind: 'clear' });
  });
});
