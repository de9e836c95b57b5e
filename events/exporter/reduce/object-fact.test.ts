import { describe, expect, it } from '@jest/globals';
import type { Change } from './known-objects.ts';
import { objectFact } from './object-fact.ts';

const change = (kind: Change['change'], resourceVersion: string, uid = 'u-1'): Change => ({
  ...{ key: 'k', resource: 'widgets', change: kind, phantom: false, generationMoved: false, gap: false },
  head: { group: 'example.com', version: 'v1', kind: 'Widget', namespace: 'shop', name: 'a', uid, resourceVersion },
});
const idOf = (one: Change): string => objectFact(one, 'prod', 0, { sources: ['watch'], gap: false, dropped: 0 }, () => ({})).id;

describe('the id of an Object Changed fact', () => {
  it('is the same for a deletion that was seen and one that a list showed, which has no version of its own', () => {
    expect(idOf(change('deleted', '9'))).toBe(idOf(change('deleted', '7')));
  });

  it('is the same for a state that was seen to change and one that a list showed as new', () => {
    expect(idOf(change('added', '7'))).toBe(idOf(change('modified', '7')));
  });

  it('is another one for another state, another change, and another object of the same name', () => {
    const ids = [change('modified', '7'), change('modified', '9'), change('deleted', '9'), change('deleted', '9', 'u-2')].map(idOf);
    expect(new Set(ids).size).toBe(4);
  });
});
