import { describe, expect, it } from '@jest/globals';
import { fieldsOf, valuesBefore } from './field-changes.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import { jsonPatch, mergePatch } from './plan.ts';

const target = { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'n', name: 'a' };
const live: KubernetesObject = {
  metadata: { name: 'a', annotations: { 'x/y~z': 'old' } },
  spec: { replicas: 1, list: ['a', 'b'], long: 'x'.repeat(600) },
};

describe('the fields of a step, and what stands in them', () => {
  it.each([
    [
      'a merge patch: its leaves; what it removes has no value after',
      mergePatch(target, { metadata: { annotations: { 'x/y~z': 'new', gone: null } }, spec: { replicas: 3, list: ['c'] } }, ''),
      [
        { pointer: '/metadata/annotations/x~1y~0z', after: 'new' },
        { pointer: '/metadata/annotations/gone' },
        { pointer: '/spec/replicas', after: 3 },
        { pointer: '/spec/list', after: ['c'] },
      ],
      { '/metadata/annotations/x~1y~0z': 'old', '/spec/replicas': 1, '/spec/list': ['a', 'b'] },
    ],
    [
      'a JSON patch: its operations but the tests',
      jsonPatch(
        target,
        [
          { op: 'test', path: '/spec/replicas', value: 1 },
          { op: 'replace', path: '/spec/list/1', value: 'z' },
          { op: 'remove', path: '/spec/replicas' },
        ],
        '',
      ),
      [{ pointer: '/spec/list/1', after: 'z' }, { pointer: '/spec/replicas' }],
      { '/spec/list/1': 'b', '/spec/replicas': 1 },
    ],
    [
      'a long value: its length',
      mergePatch(target, { spec: { long: 'y' } }, ''),
      [{ pointer: '/spec/long', after: 'y' }],
      { '/spec/long': '(602 characters)' },
    ],
  ])('%s', (_, step, fields, before) => {
    expect([fieldsOf(step), valuesBefore(step, live)]).toEqual([fields, before]);
  });

  it('of a Secret nothing is kept', () => {
    const secret = { ...target, group: '', resource: 'secrets' };
    expect(valuesBefore(mergePatch(secret, { data: { key: 'new' } }, ''), { metadata: { name: 'a' }, data: { key: 'old' } })).toEqual({});
  });
});
