import type { Pattern } from './pattern.ts';
import { PatternError } from './pattern-error.ts';
import type { Test } from './pattern-operators.ts';

/** A pattern without `$or` and nesting: the tests of each dotted path. */
export type Paths = Map<string, readonly Test[]>;

/** EventBridge: "the number of rule combinations when using $or must not exceed 1,000". */
const MOST_COMBINATIONS = 1000;

/** Names that event-ruler keeps for itself below `$or`. */
const RESERVED = new Set(
  `exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex not-wildcard not-equals-ignore-case
  date-after date-on-or-after date-before date-on-or-before in-date-range ip-address-in-range ip-address-not-in-range`.split(/\s+/),
);

/** Rewrites `pattern` into flat ones, any one of which must match. Throws PatternError with the path of what is malformed. */
export function alternatives(pattern: Pattern): Paths[] {
  return extend([new Map()], pattern, '', false);
}

/** Adds the keys of `pattern` to each of `rules`, in the order they are written, as event-ruler does: a later key replaces an earlier one of the same path. */
function extend(rules: Paths[], pattern: unknown, path: string, below$or: boolean): Paths[] {
  const here = path || 'The pattern';
  if (!isObject(pattern)) throw new PatternError(`${here} must be an object.`);
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new PatternError(`${here} is an empty object, which EventBridge refuses. Name a field or leave it out.`);
  return entries.reduce((result, [key, value]) => {
    const next = path === '' ? key : `${path}.${key}`;
    if (key === '$or') return either(result, value, path, next);
    if (key === '') throw new PatternError(`${here} has an empty key, which event-ruler mixes up with its parent. Leave it out.`);
    if (below$or && RESERVED.has(key))
      throw new PatternError(`${next}: "${key}" cannot be a field below $or. Put operators in a list: [{ "${key}": … }].`);
    if (!Array.isArray(value)) {
      if (isObject(value)) return extend(result, value, next, below$or);
      throw new PatternError(
        `${next} must be a list of tests or an object, not ${JSON.stringify(value)}. Write [${JSON.stringify(value)}].`,
      );
    }
    if (value.length === 0) throw new PatternError(`${next} is an empty list, which EventBridge refuses. Name a value or leave it out.`);
    return result.map((rule) => new Map(rule).set(next, value));
  }, rules);
}

function either(rules: Paths[], branches: unknown, path: string, here: string): Paths[] {
  if (!Array.isArray(branches) || branches.length < 2) throw new PatternError(`${here} must be a list of at least two objects.`);
  const result: Paths[] = [];
  for (const branch of branches) {
    if (!isObject(branch)) throw new PatternError(`${here} must hold objects only, not ${JSON.stringify(branch)}.`);
    result.push(...extend(rules, branch, path, true));
    if (result.length > MOST_COMBINATIONS) throw new PatternError(`${here} makes more than 1,000 combinations. Split the rule.`);
  }
  return result;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
