import { describe, expect, it } from '@jest/globals';
import { allLive } from '../../../shared/evidence.ts';
import type { Verdict } from '../../../shared/verdict.ts';
import {
  afterRevisions,
  condition,
  iso,
  NOW,
  pipeline,
  secret,
  specWritten,
  three,
  verdictIn,
  type World,
} from '../../../test/fixtures/kubero-pipelines.ts';

const edited = (generation: number) => pipeline({}, { generation });

describe('the history of a release', () => {
  const broken = pipeline({}, {}, [condition('ReleaseFailed', 'UpgradeError', -60)]);
  it.each<[string, Parameters<typeof afterRevisions>[0], Verdict['kind']]>([
    [
      'an installation in a burst, then three upgrades 3 minutes apart',
      [
        [2, 0],
        [3, 1],
        [4, 3],
        [5, 183],
        [6, 363],
        [7, 543],
      ],
      'fix',
    ],
    [
      'the same without the last',
      [
        [2, 0],
        [3, 1],
        [4, 3],
        [5, 183],
        [6, 363],
      ],
      'wait',
    ],
    [
      'an installation of five versions, then one upgrade a minute',
      [
        [2, 0],
        [3, 1],
        [4, 2],
        [5, 3],
        [6, 63],
        [7, 123],
        [8, 183],
      ],
      'fix',
    ],
    [
      'one upgrade every 6 s',
      [
        [10, 0],
        [11, 6],
        [12, 12],
        [13, 18],
      ],
      'fix',
    ],
    ['26 versions in 29 s, as an error loop makes them', Array.from({ length: 26 }, (_, n): [number, number] => [n + 4, n * 1.1]), 'wait'],
    [
      'a change of the pipeline at every upgrade',
      [
        [4, 0, edited(1)],
        [5, 60, edited(2)],
        [6, 120, edited(3)],
        [7, 180, edited(4)],
        [8, 240, edited(5)],
      ],
      'wait',
    ],
    [
      'a change between the third and the fourth',
      [
        [4, 0],
        [5, 60],
        [6, 120],
        [7, 180, edited(2)],
      ],
      'wait',
    ],
    [
      'versions made while the release failed',
      [
        [4, 0],
        [5, 60],
        [6, 120, broken],
        [7, 180],
        [8, 240],
      ],
      'wait',
    ],
    [
      'four versions after it failed',
      [
        [4, 0],
        [5, 60, broken],
        [6, 120],
        [7, 180],
        [8, 240],
        [9, 300],
      ],
      'fix',
    ],
    [
      'a reinstallation in between',
      [
        [5, 0],
        [6, 60],
        [7, 120],
        [2, 180],
        [3, 240],
      ],
      'wait',
    ],
    [
      'the same version told twice',
      [
        [4, 0],
        [5, 60],
        [6, 120],
        [6, 180],
      ],
      'wait',
    ],
  ])('after %s: %s', async (_, revisions, kind) => {
    expect((await afterRevisions(revisions)).kind).toBe(kind);
  });

  it('keeps its plan while it waits, whatever number of upgrades no one asked about', async () => {
    const listed = (version: number) => [secret(version - 1, NOW - 36_000), secret(version, NOW - 30_000)];
    const plans = await Promise.all([7, 12, 500].map((version) => verdictIn({ secrets: listed(version) })));
    expect(plans.map((plan) => plan.kind === 'fix' && plan.evidence)).toEqual(
      plans.map(() => expect.objectContaining(allLive({ generation: 1 }))),
    );
    expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBe(1);
  });

  const minutes = (n: number): number => NOW - n * 60_000;
  const row = [4, 5, 6, 7].map((version, index) => secret(version, minutes(6 - 2 * index)));
  const specOf = (at: number, metadata: object = {}) => pipeline({}, { managedFields: [specWritten(at)], ...metadata });

  it.each<[string, Partial<World>, Verdict['kind']]>([
    ['counts all four that exist when the spec is older', {}, 'fix'],
    ['counts none that is older than the spec', { pipeline: specOf(minutes(5)) }, 'wait'],
    ['waits for a second list when all are a day old', { now: NOW + 86_400_000 }, 'wait'],
    [
      'counts none that is older than the pipeline',
      { memory: three({ at: minutes(1) }), pipeline: specOf(minutes(0.5), { creationTimestamp: iso(minutes(0.5)) }) },
      'wait',
    ],
    ['counts only what comes next where no one says when the spec was written', { pipeline: pipeline({}, { managedFields: [] }) }, 'wait'],
    [
      'ignores who wrote the status',
      {
        pipeline: specOf(minutes(60), { managedFields: [specWritten(minutes(60)), { ...specWritten(minutes(1)), subresource: 'status' }] }),
      },
      'fix',
    ],
    [
      'counts revisions whose clock is behind, as long as each was missing from the list before',
      { memory: three({ listedAt: NOW - 60_000 }), secrets: [secret(6, NOW - 7_260_000), secret(7, NOW - 7_200_000)] },
      'fix',
    ],
  ])('of a release that is listed for the first time or again %s', async (_, world, kind) => {
    expect((await verdictIn({ memory: undefined, secrets: row, ...world })).kind).toBe(kind);
  });
});
