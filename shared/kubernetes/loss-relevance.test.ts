import { describe, expect, it } from '@jest/globals';
import { hurts } from './loss-relevance.ts';

const object = {
  metadata: { name: 'a' },
  spec: { rack: { type: 'x' }, pods: [{ env: [{ name: 'A' }] }], map: { one: { limit: 1 } }, empty: [] },
};

describe('hurts', () => {
  it.each<[string, boolean]>([
    ['v1 .spec.rack: validation added (self.type != "y")', true],
    ['v1 .spec.rack.zone: pattern added (^a$)', false],
    ['v1 .spec.pods[].env[]: oneOf added ([])', true],
    ['v1 .spec.pods[].ports[]: oneOf added ([])', false],
    ['v1 .spec.empty[]: enum added (a)', false],
    ['v1 .spec.map.*.limit: maximum added (5)', true],
    ['v1 .spec.map.*.request: maximum added (5)', false],
    ['v1 .spec.other: type string → object', true],
    ['v1 .spec.other: disappears', true],
    ['v1: the served version disappears', true],
    ['spec.names.kind: A → B', true],
  ])('%s: %s', (loss, expected) => expect(hurts(loss, [object])).toBe(expected));

  it('needs only one object that has the path', () => {
    expect(hurts('v1 .spec.rack: validation added (x)', [{ metadata: { name: 'b' } }, object])).toBe(true);
    expect(hurts('v1 .spec.rack: validation added (x)', [])).toBe(false);
  });
});
