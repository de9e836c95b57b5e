import { describe, expect, it } from '@jest/globals';
import { undeclared } from './declared-writes.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import { apply, jsonPatch, mergePatch, type ObjectStep } from './plan.ts';
import { complete, type Definition, remediation } from './remediation.ts';
import { clear } from './verdict.ts';
import { ANYTHING, type Write } from './write.ts';

const of = { group: 'example.com', resource: 'things' };
const kind = { ...of, worst: 'test' };
const target = { ...of, version: 'v1', namespace: 'n', name: 'a' };
const live: KubernetesObject = {
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'n', annotations: { 'example.com/period': '1m', other: 'x' } },
  spec: {
    color: 'red',
    parts: [
      { name: 'one', size: 1 },
      { name: 'two', size: 2 },
    ],
    versions: [{ name: 'v1', served: true, schema: { one: { type: 'string' }, two: { type: 'string' } } }],
  },
  status: { phase: 'Running' },
};
const WRITES: Write[] = [
  { operation: 'patch', ...kind, changes: { '/metadata/annotations/example.com~1period': '^([0-9]+m)?$' } },
  { operation: 'patch', ...kind, before: { '/status/phase': '^Running$' }, changes: { '/spec/parts/[name]/size': '^[1-9]$' } },
  {
    ...{ operation: 'apply', ...kind, names: ['a'] },
    changes: { '/spec/versions': ANYTHING },
    keeps: ['/spec/versions/[name]/schema'],
    same: ['/spec/versions/[name]/served', '/spec/versions/[name]/schema/*/type'],
    noDefaults: ['/spec/versions/[name]/schema/one'],
  },
  {
    operation: 'create',
    ...kind,
    fields: {
      '/metadata/name': '-retry$',
      '/metadata/annotations/kubemend.dev~1incident': '^0123$',
      '/spec/color': '^(red|blue)$',
      '/spec/parts/[name]/size': '^1$',
    },
  },
  { operation: 'delete', ...kind, before: { '/status/phase': '^Pending$' } },
];
const versions = (schema: object, more: object = {}) => ({
  ...{ apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' } },
  spec: { versions: [{ name: 'v1', served: true, schema, ...more }] },
});
const schema = { one: { type: 'string' }, two: { type: 'string' } };
const created = (name: string, spec: object): ObjectStep => ({
  ...{ kind: 'create', reason: 'test', target: { ...target, name } },
  object: { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name, namespace: 'n' }, spec: { ...spec } },
});
const annotate = (name: string, value: string | null) => mergePatch(target, { metadata: { annotations: { [name]: value } } }, 'test');
const size = (index: number, value: number) => jsonPatch(target, [{ op: 'replace', path: `/spec/parts/${index}/size`, value }], 'test');
const document = { artifact: 'a', sha256: 'b' };

describe('a step is compared with the declared writes of its remediation', () => {
  it.each<[string, ObjectStep, KubernetesObject?]>([
    ['a declared annotation', annotate('example.com/period', '5m')],
    ['its removal, where the expression takes the empty text', annotate('example.com/period', null)],
    ['a field of a list element', size(1, 3)],
    ['a value that is the same as before', mergePatch(target, { spec: { color: 'red' } }, 'test')],
    ['a document that adds', apply(target, document, 'test'), versions({ ...schema, three: { type: 'string' } })],
    ['a new object of the declared form', created('a-retry', { color: 'red', parts: [{ size: 1 }] })],
  ])('covers %s', (_, step, ...[sent]) => {
    expect(undeclared(WRITES, { step, live, document: sent, incident: '0123' })).toBeUndefined();
  });

  it.each<[string, ObjectStep, RegExp, KubernetesObject?]>([
    ['another annotation', annotate('other', 'y'), /\/metadata\/annotations\/other/],
    [
      'a declared field with another beside it',
      mergePatch(target, { metadata: { annotations: { 'example.com/period': '5m' } }, spec: { color: 'blue' } }, 't'),
      /\/spec\/color/,
    ],
    ['a value that does not match', annotate('example.com/period', 'never'), /would become never/],
    ['a label', mergePatch(target, { metadata: { labels: { a: 'b' } } }, 'test'), /\/metadata\/labels/],
    [
      'a new list element',
      jsonPatch(target, [{ op: 'add', path: '/spec/parts/-', value: { name: 'three' } }], 'test'),
      /parts \(its elements\)/,
    ],
    ['a removed list element', jsonPatch(target, [{ op: 'remove', path: '/spec/parts/0' }], 'test'), /parts \(its elements\)/],
    [
      'another field of a list element',
      jsonPatch(target, [{ op: 'add', path: '/spec/parts/0/image', value: 'x' }], 'test'),
      /\/spec\/parts\/0\/image/,
    ],
    ['a list replaced as a whole', mergePatch(target, { spec: { parts: [{ name: 'one', size: 1 }] } }, 'test'), /parts/],
    ['a patch that does not fit', jsonPatch(target, [{ op: 'remove', path: '/spec/none' }], 'test'), /does not fit/],
    ['a document that drops a key', apply(target, document, 'test'), /v1\/schema\/two must stay/, versions({ one: { type: 'string' } })],
    [
      'a document that drops a version',
      apply(target, document, 'test'),
      /must stay/,
      { ...versions({}), spec: { versions: [{ name: 'v2', served: true, schema }] } },
    ],
    [
      'a document that changes a value that stays',
      apply(target, document, 'test'),
      /served must stay/,
      versions(schema, { served: false }),
    ],
    [
      'a document that changes a type',
      apply(target, document, 'test'),
      /two\/type must stay/,
      versions({ ...schema, two: { type: 'object' } }),
    ],
    [
      'a document that sets another field',
      apply(target, document, 'test'),
      /\/spec\/color/,
      { ...versions(schema), spec: { color: 'blue' } },
    ],
    ['an object of another name', created('b', { color: 'red', parts: [{ size: 1 }] }), /name would become b/],
    ['an object with another field', created('a-retry', { color: 'red', parts: [{ size: 1 }], force: true }), /\/spec\/force/],
    ['an object without a field that is asked for', created('a-retry', { parts: [{ size: 1 }] }), /color would become absent/],
    ['the deletion of an object in another state', { kind: 'delete', target, reason: 'test' }, /phase is Running/],
    ['another kind', mergePatch({ ...target, resource: 'secrets' }, {}, 'test'), /^merge-patch on secrets n\/a is not among the writes/],
  ])('does not cover %s', (_, step, because, ...[sent]) => {
    expect(undeclared(WRITES, { step, live, document: sent, incident: '0123' })).toMatch(because);
  });

  it.each<[string, object]>([
    ['of a field', { properties: { image: { default: 'x' } } }],
    ['of itself', { default: {} }],
    ['in a list of maps', { items: { additionalProperties: { properties: { image: { default: null } } } } }],
  ])('does not cover a document with a default %s in a schema that may set none', (_, more) => {
    const sent = versions({ ...schema, one: { type: 'string', ...more } });
    expect(undeclared(WRITES, { step: apply(target, document, 'test'), live, document: sent, incident: '0123' })).toMatch(
      /^apply on .*one.*default must not be there/,
    );
  });

  it('takes a property called default for a property', () => {
    const sent = versions({ ...schema, one: { type: 'string', properties: { default: { type: 'string' } } } });
    expect(undeclared(WRITES, { step: apply(target, document, 'test'), live, document: sent, incident: '0123' })).toBeUndefined();
  });

  it('does not cover a schema that is too deep to check', () => {
    const deep = (levels: number): object => (levels === 0 ? { default: 'x' } : { properties: { a: deep(levels - 1) } });
    const sent = versions({ ...schema, one: { type: 'string', ...deep(30) } });
    expect(undeclared(WRITES, { step: apply(target, document, 'test'), live, document: sent, incident: '0123' })).toMatch(/too deep/);
  });

  it('does not cover a list with two elements of one key, which could trade places', () => {
    const twins = {
      ...live,
      spec: {
        ...(live.spec as object),
        parts: [
          { name: 'one', size: 1 },
          { name: 'one', size: 2 },
        ],
      },
    };
    expect(undeclared(WRITES, { step: size(0, 2), live: twins, incident: '0123' })).toMatch(/parts \(its elements\)/);
  });

  it.each(['move', 'copy'])('does not cover a patch that holds a %s', (op) => {
    const operations = [{ op, from: '/spec/parts/0', path: '/spec/parts/1' }] as unknown as Parameters<typeof jsonPatch>[1];
    expect(undeclared(WRITES, { step: jsonPatch(target, operations, 'test'), live, incident: '0123' })).toMatch(/does not fit/);
  });

  it('does not cover a patch of an object that is in another state than declared', () => {
    expect(undeclared(WRITES, { step: size(0, 2), live: { ...live, status: { phase: 'Failed' } }, incident: '0123' })).toMatch(
      /phase is Failed/,
    );
  });
});

describe('a definition', () => {
  const definition: Omit<Definition, 'writes'> = {
    ...{ title: 'Try', cause: { issue: 'none', affects: 'none', because: 'none' }, when: { source: ['kubernetes'] }, rights: [] },
    examine: async () => clear('it is fine'),
  };

  it('without its writes does not compile, and is not loaded', () => {
    // @ts-expect-error writes is missing
    expect(() => complete('example/try', remediation(definition))).toThrow(/^example\/try: writes is missing/);
  });

  it('with a right to write that no declared write needs is not loaded', () => {
    const rights = [{ ...{ group: '', resources: ['pods'] }, verbs: ['patch'] }] as unknown as Definition['rights'];
    expect(() => complete('example/try', { ...definition, rights, writes: [] })).toThrow(/the right patch on pods writes/);
  });

  it('gets the rights that its writes need, and no other right to write', () => {
    const { rights } = complete('example/try', { ...definition, writes: WRITES });
    expect(rights.map(({ resources, verbs, names }) => [resources, verbs, names])).toEqual([
      [['things'], ['patch'], undefined],
      [['things'], ['patch'], undefined],
      [['things'], ['patch'], ['a']],
      [['things'], ['create'], undefined],
      [['things'], ['delete'], undefined],
      [['events'], ['create'], undefined],
    ]);
  });
});
