import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../shared/verdict.ts';
import { deployment, every, pipeline, scanned, type World } from '../../../test/fixtures/kubero-pipelines.ts';

const DIGEST = `ghcr.io/kubero-dev/kubero-operator/kuberoapp@sha256:${'a'.repeat(64)}`;

describe('a scan by kubero/slow-release-storm', () => {
  it.each<[string, Partial<World>, Verdict['kind'], RegExp]>([
    [
      'offers the annotation for the cause alone, without a release',
      { secrets: [], pipeline: { ...pipeline(), status: {} } },
      'fix',
      /every reconciliation/,
    ],
    ['reports an operator known by its digest alone', { deployments: [deployment(DIGEST)] }, 'report', /version .* is unknown/],
    [
      'is silent about such an operator when nothing is copied',
      { deployments: [deployment(DIGEST)], pipeline: pipeline({ registry: {} }) },
      'clear',
      /version/,
    ],
    ['is silent where no operator is found', { deployments: [] }, 'clear', /no Kubero operator/],
    ['is silent in mode create', { pipeline: pipeline({ registry: { createSecret: 'create' } }) }, 'clear', /no credentials/],
    ['is silent about an hourly pipeline', { pipeline: every('1h') }, 'clear', /every 1h only/],
    [
      'reports a period that is not a duration, whatever the chart copies',
      { pipeline: { ...every('1day'), spec: { deploymentstrategy: 'git' } } },
      'report',
      /1day is not a duration/,
    ],
  ])('%s', async (_, world, kind, because) => {
    const verdict = await scanned(world);
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
  });
});
