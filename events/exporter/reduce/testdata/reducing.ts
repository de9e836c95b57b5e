import { expect } from '@jest/globals';
import { type Envelope, envelope } from '../../../fact.ts';
import { objectChanged } from '../../../object-changed.ts';
import type { Pattern } from '../../../pattern.ts';
import { writesCounted } from '../../../writes-counted.ts';
import { Reducer } from '../reduce.ts';
import type { ReducerOptions } from '../reducer-options.ts';

export const configmaps = { group: [''], resource: ['configmaps'] };
export const counted = (test: Pattern, name = 'counts', object = configmaps): ReducerOptions['rules'][number] => ({
  name,
  pattern: { source: ['kubernetes'], 'detail-type': ['Writes Counted'], detail: { object, ...test } },
});
export const changed = (test: Pattern = {}): ReducerOptions['rules'][number] => ({
  name: 'changes',
  pattern: { source: ['kubernetes'], 'detail-type': ['Object Changed'], detail: { object: configmaps, ...test } },
});
export const atLeast = (n: number) => [{ numeric: ['>=', n] }];
export const reducer = (rules: ReducerOptions['rules'], more: Partial<ReducerOptions> = {}) =>
  new Reducer({ cluster: 'test', rules, ...more });

/** The details, after the contract's own schemas had a look. */
export const details = (facts: Envelope[]) =>
  facts.map((fact) => {
    expect(() => envelope.parse(fact)).not.toThrow();
    expect(fact.id).toBe(fact.detail.id);
    return fact['detail-type'] === 'Writes Counted' ? writesCounted.parse(fact.detail) : objectChanged.parse(fact.detail);
  });
export const counts = (facts: Envelope[]) => details(facts).map((detail) => writesCounted.parse(detail));
