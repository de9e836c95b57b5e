import { describe, expect, it } from '@jest/globals';
import { changedPointers } from './changed-pointers.ts';

describe('changedPointers', () => {
  it.each([
    ['nothing for equal values', { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
    ['a changed value', { a: { b: 1 } }, { a: { b: 2 } }, ['/a/b']],
    ['an added and a removed key', { a: 1 }, { b: 1 }, ['/a', '/b']],
    ['array elements by index, also new ones', { a: [1, 2] }, { a: [1, 3, 4] }, ['/a/1', '/a/2']],
    ['an object that became an array', { a: { 0: 1 } }, { a: [1] }, ['/a']],
    ['a value that became null', { a: {} }, { a: null }, ['/a']],
    ['escaped keys', { 'x/y': 1, 'a~b': 1 }, { 'x/y': 2, 'a~b': 2 }, ['/x~1y', '/a~0b']],
    ['a key from the prototype like any other', {}, { constructor: 1 }, ['/constructor']],
    ['the root when a scalar changed', 1, 2, ['']],
  ])('names %s', (_, before, after, expected) => {
    expect(changedPointers(before, after)).toEqual(expected);
  });

  it('stops at 100', () => {
    const wide = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`k${i}`, i]));
    expect(changedPointers({}, wide)).toHaveLength(100);
  });
});
