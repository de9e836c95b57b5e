import { describe, expect, it } from '@jest/globals';
import { apply, jsonPatch, mergePatch } from '../shared/plan.ts';
import { describeStep } from './describe.ts';

const target = { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'n', name: 'a' };
const secret = { ...target, group: '', resource: 'secrets' };
const operations = [
  { op: 'test' as const, path: '/spec/replicas', value: 1 },
  { op: 'replace' as const, path: '/spec/replicas', value: 3 },
  { op: 'remove' as const, path: '/metadata/annotations/x~1y' },
];

describe('a step for people', () => {
  it.each([
    [
      'shows each field before and after',
      describeStep(jsonPatch(target, operations, 'why'), 1, { '/spec/replicas': 1, '/metadata/annotations/x~1y': 'old' }),
      ['spec.replicas: 1 → 3', 'metadata.annotations["x/y"]: "old" → absent'],
    ],
    ['says where nothing was', describeStep(mergePatch(target, { spec: { a: 1 } }, 'why'), 1, {}), ['spec.a: absent → 1']],
    ['shows the patch where nothing is recorded', describeStep(mergePatch(target, { spec: { a: 1 } }, 'why'), 1), ['{"spec":{"a":1}}']],
    [
      'shows what an applied document changes',
      describeStep(apply(target, { artifact: 'x', sha256: 'abc' }, 'why'), 1, {}, ['+ spec.new', 'and 3 more']),
      ['document x, SHA-256 abc…', '+ spec.new', 'and 3 more'],
    ],
    [
      'shows no value of a Secret',
      describeStep(mergePatch(secret, { data: { key: 'c2VjcmV0' } }, 'why'), 1),
      ['data.key: changed (values of Secrets are not shown)'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(lines.slice(1).map((line) => line.trim())).toEqual(expected);
  });
});
