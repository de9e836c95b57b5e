import { describe, expect, it } from '@jest/globals';
import { project } from './project.ts';

const pod = {
  metadata: { name: 'a', annotations: { 'x/secret': 'hunter2', 'x/key': '1' } },
  spec: { containers: [{ name: 'c', env: [{ name: 'P', value: 'hunter2' }] }, 'odd'] },
  status: { phase: 'Running' },
};

describe('project', () => {
  it.each([
    ['nothing without paths', [], {}],
    ['named fields only', [['status', 'phase']], { status: { phase: 'Running' } }],
    ['annotations by their whole key', [['metadata', 'annotations', 'x/key']], { metadata: { annotations: { 'x/key': '1' } } }],
    ['arrays element by element', [['spec', 'containers', 'name']], { spec: { containers: [{ name: 'c' }] } }],
    ['several paths together', [['metadata', 'name'], ['status']], { metadata: { name: 'a' }, status: { phase: 'Running' } }],
    ['the wider path, in any order', [['status', 'phase'], ['status'], ['status', 'x']], { status: { phase: 'Running' } }],
    [
      'no fields that are absent',
      [
        ['status', 'nope'],
        ['nope', 'deep'],
        ['metadata', 'name', 'deeper'],
      ],
      { status: {}, metadata: {} },
    ],
  ])('keeps %s', (_, paths, expected) => {
    expect(project(pod, paths)).toEqual(expected);
  });

  it('treats __proto__ as a field', () => {
    const kept = project(JSON.parse('{"__proto__":{"a":1,"b":2}}'), [['__proto__', 'a']]);
    expect(JSON.stringify(kept)).toBe('{"__proto__":{"a":1}}');
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
  });

  it('answers an empty object for what is no object', () => {
    expect(project([1], [['a']])).toEqual({});
  });
});
