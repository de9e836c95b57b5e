import { describe, expect, it } from '@jest/globals';
import { canonical, hashOf } from './canonical.ts';

describe('canonical JSON', () => {
  it.each([
    ['the order of keys, at every depth', { b: 1, a: { d: [{ y: 1, x: 2 }], c: 2 } }, { a: { c: 2, d: [{ x: 2, y: 1 }] }, b: 1 }],
    ['what is undefined', { a: 1, b: undefined }, { a: 1 }],
    ['how a number is written', { a: 1.0 }, { a: 1 }],
  ])('does not see %s', (_, left, right) => {
    expect(canonical(left)).toBe(canonical(right));
    expect(hashOf(left)).toBe(hashOf(right));
  });

  it.each([
    ['the order of a list', [1, 2], [2, 1]],
    ['null and nothing', { a: null }, {}],
    ['a number and its text', { a: 1 }, { a: '1' }],
    ['an empty list and an empty object', { a: [] }, { a: {} }],
    ['a key in another place', { a: { b: 1 } }, { a: {}, b: 1 }],
    ['letters of another case', { a: 'x' }, { a: 'X' }],
  ])('tells apart %s', (_, left, right) => {
    expect(hashOf(left)).not.toBe(hashOf(right));
  });

  it('keeps keys that look like numbers, or like a prototype', () => {
    expect(canonical({ 10: 'a', 9: 'b', a: 'c' })).toBe('{"9":"b","10":"a","a":"c"}');
    expect(JSON.parse(canonical(JSON.parse('{"__proto__": {"x": 1}, "a": 2}')))).toEqual({ a: 2, ['__proto__']: { x: 1 } });
  });
});

it('A hash is SHA-256 in hex', () => {
  expect(hashOf({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
});
