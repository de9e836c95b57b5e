import { describe, expect, it } from '@jest/globals';
import type { CrdVersion, CustomResourceDefinition, Schema } from './crd.ts';
import { missingStatusFields, schemaLosses } from './crd-schema.ts';

const keep = { 'x-kubernetes-preserve-unknown-fields': true };
const text: Schema = { type: 'string' };
const v1: CrdVersion = { name: 'v1', served: true, storage: true, subresources: { status: {} } };

function crd(spec: Partial<CustomResourceDefinition['spec']>, storedVersions?: string[]): CustomResourceDefinition {
  const names = { kind: 'Kafka', plural: 'kafkas', shortNames: ['k'] };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'kafkas.example.org' },
    spec: { group: 'example.org', scope: 'Namespaced', names, versions: [v1], ...spec },
    ...(storedVersions && { status: { storedVersions } }),
  };
}

const withField = (f: Schema): CustomResourceDefinition =>
  crd({ versions: [{ ...v1, schema: { openAPIV3Schema: { type: 'object', properties: { f } } } }] });

const object = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({ type: 'object', properties, ...more });
const oneOf = (...keys: string[]): Schema => ({ oneOf: keys.map((key) => ({ required: [key], properties: { [key]: {} } })) });

describe('schemaLosses of one field', () => {
  const narrower: [what: string, live: Schema, target: Schema, ...losses: string[]][] = [
    ['type', text, { type: 'object' }, '.f: type string → object'],
    ['a type for an untyped field', keep, { ...text, ...keep }, '.f: type any → string'],
    ['int-or-string', { 'x-kubernetes-int-or-string': true }, text, '.f: type int-or-string → string'],
    ['int-or-string lost', { 'x-kubernetes-int-or-string': true }, {}, '.f: x-kubernetes-int-or-string lost'],
    ['null', { ...text, nullable: true }, text, '.f: null no longer allowed'],
    ['an enum value', { ...text, enum: ['a', 'b'] }, { ...text, enum: ['b', 'c'] }, '.f: enum loses "a"'],
    ['a first enum', text, { ...text, enum: ['a'] }, '.f: enum added ("a")'],
    ['a pattern', text, { ...text, pattern: '^a' }, '.f: pattern added (^a)'],
    ['another pattern', { ...text, pattern: '^a' }, { ...text, pattern: '^b' }, '.f: pattern ^a → ^b'],
    ['a format', text, { ...text, format: 'date-time' }, '.f: format added (date-time)'],
    ['a minimum', { type: 'integer' }, { type: 'integer', minimum: 0 }, '.f: minimum added (0)'],
    ['a higher minimum', { type: 'integer', minimum: 0 }, { type: 'integer', minimum: 1 }, '.f: minimum 0 → 1'],
    ['a lower maximum', { type: 'integer', maximum: 9 }, { type: 'integer', maximum: 5 }, '.f: maximum 9 → 5'],
    [
      'an open bound',
      { type: 'integer', maximum: 9 },
      { type: 'integer', maximum: 9, exclusiveMaximum: true },
      '.f: exclusiveMaximum added',
    ],
    ['lengths', { ...text, maxLength: 9 }, { ...text, maxLength: 8, minLength: 1 }, '.f: maxLength 9 → 8', '.f: minLength added (1)'],
    ['a default', { ...text, default: 'vendor/kafka:1' }, text, '.f: default vendor/kafka:1 → none'],
    ['another default', { ...text, default: 'a' }, { ...text, default: 'b' }, '.f: default a → b'],
    ['a first default', text, { ...text, default: 'a' }, '.f: default none → a'],
    ['a default of an object', object({ a: text }, { default: { a: 'x' } }), object({ a: text }), '.f: default {"a":"x"} → none'],
    ['items', { type: 'array', items: text }, { type: 'array', items: text, maxItems: 3 }, '.f: maxItems added (3)'],
    ['unique items', { type: 'array', items: text }, { type: 'array', items: text, uniqueItems: true }, '.f: uniqueItems added'],
    ['the type of items', { type: 'array', items: text }, { type: 'array', items: { type: 'integer' } }, '.f[]: type string → integer'],
    ['required', object({ a: text }), object({ a: text }, { required: ['a'] }), '.f: a is now required'],
    ['a property', object({ a: text, b: text }), object({ a: text }), '.f.b: the property disappears'],
    ['a property named description', object({ description: text }), object({}), '.f.description: the property disappears'],
    ['preserve-unknown', { type: 'object', ...keep }, { type: 'object' }, '.f: x-kubernetes-preserve-unknown-fields lost'],
    [
      'a typed key where all was kept',
      { type: 'object', ...keep },
      object({ a: { type: 'object', ...keep } }, keep),
      '.f.a: type any → object',
    ],
    ['a map', { type: 'object', additionalProperties: text }, { type: 'object' }, '.f.*: additionalProperties disappears'],
    ['an open map', { type: 'object', additionalProperties: true }, { type: 'object' }, '.f.*: additionalProperties disappears'],
    [
      'the values of a map',
      { type: 'object', additionalProperties: text },
      { type: 'object', additionalProperties: { type: 'integer' } },
      '.f.*: type string → integer',
    ],
    [
      'properties that become a map',
      object({ a: { type: 'integer' } }),
      { type: 'object', additionalProperties: text },
      '.f.a: type integer → string',
    ],
    [
      'embedded resources',
      { type: 'object', ...keep },
      { type: 'object', ...keep, 'x-kubernetes-embedded-resource': true },
      '.f: x-kubernetes-embedded-resource added',
    ],
    [
      'the list type',
      { type: 'array', items: text },
      { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
      '.f: x-kubernetes-list-type atomic → set',
    ],
    [
      'the keys of a list',
      { type: 'array', items: text, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['a'] },
      { type: 'array', items: text, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['b'] },
      '.f: x-kubernetes-list-map-keys ["a"] → ["b"]',
    ],
    [
      'the map type',
      { type: 'object' },
      { type: 'object', 'x-kubernetes-map-type': 'atomic' },
      '.f: x-kubernetes-map-type granular → atomic',
    ],
    ['a rule', text, { ...text, 'x-kubernetes-validations': [{ rule: 'self != "x"' }] }, '.f: validation added (self != "x")'],
    ['not', text, { ...text, not: { enum: ['x'] } }, '.f: not added ({"enum":["x"]})'],
    [
      'a choice between two free keys',
      object({ a: text, b: text }),
      object({ a: text, b: text }, oneOf('a', 'b')),
      '.f: oneOf added ([{"properties":{"a":{}},"required":["a"]},{"properties":{"b":{}},"required":["b"]}])',
    ],
  ];
  it.each(narrower)('tells %s', (_, live, target, ...losses) => {
    expect(schemaLosses(withField(live), withField(target))).toEqual(losses.map((loss) => `v1 ${loss}`));
  });

  const asWide: [what: string, live: Schema, target: Schema][] = [
    ['descriptions', { ...text, description: 'a' }, { ...text, description: 'b' }],
    ['order', object({ a: text, b: text }, { required: ['a', 'b'] }), object({ b: text, a: text }, { required: ['b', 'a'] })],
    ['new properties', object({ a: text }), object({ a: text, b: { ...text, enum: ['x'], pattern: '^x' } })],
    ['wider bounds', { type: 'integer', minimum: 1, maximum: 5 }, { type: 'integer', minimum: 0, maximum: 6 }],
    ['dropped bounds', { ...text, pattern: '^a', maxLength: 3, enum: ['a'], format: 'date' }, text],
    ['more enum values', { ...text, enum: ['a'] }, { ...text, enum: ['b', 'a'] }],
    ['no longer required', object({ a: text }, { required: ['a'] }), object({ a: text })],
    ['keys that are kept as they come', object({ a: text, b: text }), { type: 'object', ...keep }],
    ['a type that may be anything', text, keep],
    [
      'the written default of a list type',
      { type: 'array', items: text },
      { type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' },
    ],
    [
      'a reworded rule message',
      { ...text, 'x-kubernetes-validations': [{ rule: 'r' }] },
      { ...text, 'x-kubernetes-validations': [{ rule: 'r', message: 'm' } as { rule: string }] },
    ],
    [
      'a choice whose first key was required and whose other was pruned',
      object({ a: text }, { required: ['a'] }),
      object({ a: text, b: text }, oneOf('a', 'b')),
    ],
  ];
  it.each(asWide)('is silent about %s', (_, live, target) => {
    expect(schemaLosses(withField(live), withField(target))).toEqual([]);
  });

  it('does not take a choice for granted when the other key was kept', () => {
    const live = object({ a: text }, { required: ['a'], ...keep });
    expect(schemaLosses(withField(live), withField(object({ a: text }, { ...oneOf('a', 'b'), ...keep })))).toHaveLength(1);
  });
});

describe('schemaLosses of the whole definition', () => {
  const webhook = { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://a' } } };
  const cases: [what: string, live: CustomResourceDefinition, target: CustomResourceDefinition, ...losses: string[]][] = [
    ['group', crd({}), crd({ group: 'example.com' }), 'spec.group: example.org → example.com'],
    ['scope', crd({}), crd({ scope: 'Cluster' }), 'spec.scope: Namespaced → Cluster'],
    [
      'names',
      crd({}),
      crd({ names: { kind: 'Kafka', plural: 'kafkas', singular: 'k' } }),
      'spec.names.singular: kafka → k',
      'spec.names.shortNames: k disappears',
    ],
    ['conversion', crd({}), crd({ conversion: { strategy: 'Webhook' } }), 'spec.conversion: None → Webhook {}'],
    [
      'the conversion webhook',
      crd({ conversion: webhook }),
      crd({ conversion: { strategy: 'Webhook' } }),
      'spec.conversion: Webhook {"webhook":{"clientConfig":{"url":"https://a"}}} → Webhook {}',
    ],
    ['preserveUnknownFields', crd({ preserveUnknownFields: true }), crd({}), 'spec.preserveUnknownFields: true → false'],
    ['a version', crd({}), crd({ versions: [{ ...v1, name: 'v2' }] }), 'v1: the served version disappears'],
    ['serving', crd({}), crd({ versions: [{ ...v1, served: false }] }), 'v1: no longer served'],
    [
      'a stored version',
      crd({}, ['v1beta1', 'v1']),
      crd({}),
      'v1beta1: objects are stored in this version (status.storedVersions) and it disappears',
    ],
    ['the status subresource', crd({}), crd({ versions: [{ ...v1, subresources: {} }] }), 'v1 subresources.status: {} → none'],
    [
      'scale',
      crd({ versions: [{ ...v1, subresources: { status: {}, scale: { specReplicasPath: '.a' } } }] }),
      crd({}),
      'v1 subresources.scale: {"specReplicasPath":".a"} → none',
    ],
    [
      'a selectable field',
      crd({ versions: [{ ...v1, selectableFields: [{ jsonPath: '.spec.a' }] }] }),
      crd({}),
      'v1 selectableFields: .spec.a disappears',
    ],
  ];
  it.each(cases)('tells %s', (_, live, target, ...losses) => {
    expect(schemaLosses(live, target)).toEqual(losses);
  });

  it('is silent about what the API server fills in, about versions that were not served and about new ones', () => {
    const live = crd(
      {
        names: { kind: 'Kafka', plural: 'kafkas', singular: 'kafka', listKind: 'KafkaList', shortNames: ['k'] },
        conversion: { strategy: 'None' },
        preserveUnknownFields: false,
        versions: [{ ...v1, name: 'v1alpha1', served: false, storage: false }, v1],
      },
      ['v1'],
    );
    expect(schemaLosses(live, crd({ versions: [v1, { ...v1, name: 'v2', storage: false }] }))).toEqual([]);
  });
});

describe('missingStatusFields', () => {
  const status = object({
    known: text,
    list: { type: 'array', items: object({ inner: text }) },
    map: { type: 'object', additionalProperties: object({ inner: text }) },
    whole: { type: 'object', ...keep },
    closed: { type: 'object' },
  });
  const of = (root: Schema, fields: string[]) =>
    missingStatusFields(crd({ versions: [{ ...v1, schema: { openAPIV3Schema: root } }] }), 'v1', fields);

  it.each([
    ['known', true],
    ['unknown', false],
    ['list.inner', true],
    ['list.other', false],
    ['map.anyKey.inner', true],
    ['map.anyKey.other', false],
    ['whole.a.b', true],
    ['closed.a', false],
    ['toString', false],
  ])('status.%s is kept: %s', (field, kept) => {
    expect(of(object({ status }), [field])).toEqual(kept ? [] : [field]);
  });

  it('a preserve-unknown above keeps what is not specified, and prunes below what is', () => {
    expect(of(object({ status: { ...status, ...keep } }, keep), ['unknown.a', 'closed.a'])).toEqual(['closed.a']);
    expect(of({ type: 'object', ...keep }, ['unknown'])).toEqual([]);
  });

  it('all are missing when the version is not served or has no schema', () => {
    expect(missingStatusFields(crd({}), 'v2', ['a', 'b'])).toEqual(['a', 'b']);
    expect(missingStatusFields(crd({}), 'v1', ['a'])).toEqual(['a']);
  });
});
