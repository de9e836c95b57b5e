import { describe, expect, it } from '@jest/globals';
import type { Pattern } from '../../pattern.ts';
import { subscriptions } from './rules.ts';

const rule = (type: string, detail: Pattern, name = 'a-rule') => ({
  name,
  pattern: { source: ['kubernetes'], 'detail-type': [type], detail },
});
const kafkas = { group: ['kafka.strimzi.io'], resource: ['kafkas'] };

describe('subscriptions', () => {
  it('derives resources, windows and fields from the patterns', () => {
    const subscribed = subscriptions([
      rule('Writes Counted', { object: kafkas, window: { seconds: [600] }, phantoms: [{ numeric: ['>=', 3] }] }),
      rule('Writes Counted', { object: kafkas, noops: [{ numeric: ['>=', 9] }] }),
      rule('Object Changed', { object: kafkas, current: { status: { conditions: { type: ['Ready'] } } } }),
      rule('Object Changed', { object: { group: [''], resource: ['pods'] }, previous: { $or: [{ a: ['x'] }, { b: { c: [1] } }] } }),
      rule('Object Changed', { object: { group: [''], resource: ['pods'] }, $or: [{ current: { d: [1] } }, { previous: { e: [1] } }] }),
    ]);
    expect(subscribed.resources).toEqual([
      { group: 'kafka.strimzi.io', resource: 'kafkas' },
      { group: '', resource: 'pods' },
    ]);
    expect(subscribed.windowsFor('kafka.strimzi.io', 'kafkas')).toEqual([60, 600]);
    expect(subscribed.windowsFor('', 'pods')).toEqual([]);
    expect(subscribed.fieldsFor('kafka.strimzi.io', 'kafkas')).toEqual([['status', 'conditions', 'type']]);
    expect(subscribed.fieldsFor('', 'pods')).toEqual([['a'], ['b', 'c'], ['d'], ['e']]);
  });

  it('ignores rules about other sources', () => {
    expect(subscriptions([{ name: 'slack', pattern: { source: ['kubemend'], 'detail-type': ['Incident Changed'] } }]).resources).toEqual(
      [],
    );
  });

  it.each([
    [
      'a group that is no exact string',
      'Object Changed',
      { object: { group: [{ prefix: 'kafka' }], resource: ['kafkas'] } },
      '"detail.object.group"',
    ],
    ['a missing resource', 'Object Changed', { object: { group: [''] } }, '"detail.object.resource"'],
    ['another detail-type', 'Something Else', { object: kafkas }, '"detail-type"'],
    [
      'a window that is no number',
      'Writes Counted',
      { object: kafkas, window: { seconds: [{ numeric: ['>', 1] }] } },
      '"detail.window.seconds"',
    ],
  ] as [string, string, Pattern, string][])('refuses %s and names the rule', (_, type, detail, place) => {
    const build = () => subscriptions([rule(type, detail, 'the-broken-one')]);
    expect(build).toThrow('Rule the-broken-one');
    expect(build).toThrow(place);
  });
});
