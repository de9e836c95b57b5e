import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../shared/verdict.ts';
import {
  condition,
  every,
  NOW,
  pipeline,
  releaseFailed,
  revision,
  verdictIn,
  type World,
} from '../../../test/fixtures/kubero-pipelines.ts';

const failing = (type: string, reason: string, minutes: number) => [condition(type, reason, minutes)];

describe('after the annotation', () => {
  const fixed = { operator: '0.2.1', registry: 'copy', period: '3m', generation: 1 };
  const written = NOW - 600_000;
  const later = (seconds: number, world: Partial<World> = {}) =>
    verdictIn({ pipeline: every('1h', written), fixed, memory: undefined, fact: revision(9, written + seconds * 1_000), ...world });

  it.each<[string, () => Promise<Verdict>, Verdict['kind'], RegExp]>([
    ['no revision was seen yet: silence proves nothing', () => later(-30), 'wait', /has not answered/],
    [
      'only a failure was told of',
      () => later(0, { fact: releaseFailed(), pipeline: every('1h', NOW + 60_000) }),
      'wait',
      /has not answered/,
    ],
    ['the second revision came just now', () => later(178, { now: written + 179_000 }), 'wait', /one old period of quiet/],
    ['the second revision came, and none for an old period', () => later(178), 'clear', /no third revision/],
    ['the annotation was answered at once, and nothing followed', () => later(1), 'clear', /no third revision/],
    ['a third revision came', () => later(360), 'report', /third revision/],
    [
      'the release fails meanwhile',
      () => later(178, { pipeline: pipeline({}, {}, failing('ReleaseFailed', 'UpgradeError', 9)) }),
      'wait',
      /fails/,
    ],
    ['somebody cured it', () => later(178, { pipeline: pipeline({ registry: { createSecret: 'create' } }) }), 'clear', /no credentials/],
    ['somebody removed the annotation', () => later(178, { pipeline: pipeline() }), 'fix', /every reconciliation/],
    ['the pipeline is gone', () => later(178, { pipeline: undefined }), 'clear', /no KuberoPipeline/],
  ])('%s', async (_, ask, kind, because) => {
    const verdict = await ask();
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });
});
