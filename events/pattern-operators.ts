import { block, hexAddress } from './pattern-addresses.ts';
import { PatternError } from './pattern-error.ts';
import { glob, wildcardParts } from './pattern-wildcard.ts';

export type Scalar = string | number | boolean | null;
type Texts = string | readonly string[];
type IgnoringCase = { readonly 'equals-ignore-case': string };
type Excluded =
  | { readonly prefix: Texts }
  | { readonly suffix: Texts }
  | { readonly wildcard: Texts }
  | { readonly 'equals-ignore-case': Texts };

/** One test of a pattern's list: an exact value or one EventBridge operator. */
export type Test =
  | Scalar
  | { readonly prefix: string | IgnoringCase }
  | { readonly suffix: string | IgnoringCase }
  | IgnoringCase
  | { readonly wildcard: string }
  | { readonly numeric: readonly (string | number)[] }
  | { readonly cidr: string }
  | { readonly exists: boolean }
  | { readonly 'anything-but': string | number | readonly string[] | readonly number[] | Excluded };

/** The tests of one path: `test` asks about one value, `absent` says that no value at all is an answer too (`exists: false`). */
export type Condition = { test: (value: Scalar) => boolean; absent: boolean };

type Check = (value: Scalar) => boolean;
type Operator = (operand: unknown, path: string) => Check;

const OPERATORS: Record<string, Operator> = {
  prefix: (operand, path) => {
    if (isObject(operand)) return folded(only('equals-ignore-case', operand, path), (source) => `^"${source}`, path);
    const start = `"${string(operand, path)}`;
    return quoted((value) => value.startsWith(start));
  },
  suffix: (operand, path) => {
    if (isObject(operand)) return folded(only('equals-ignore-case', operand, path), (source) => `${source}"$`, path);
    const end = `${string(operand, path)}"`;
    return quoted((value) => value.endsWith(end));
  },
  'equals-ignore-case': (operand, path) => folded(operand, (source) => `^"${source}"$`, path),
  wildcard: (operand, path) => {
    const parts = wildcardParts(string(operand, path), path);
    return text((value) => glob(parts, value));
  },
  numeric: (operand, path) => {
    const bounds = numericBounds(operand, path);
    return (value) => typeof value === 'number' && bounds.every((holds) => holds(value));
  },
  cidr: (operand, path) => {
    const [bottom, top] = block(string(operand, path), path);
    return text((value) => {
      const address = hexAddress(value);
      return address?.length === bottom.length && address >= bottom && address <= top;
    });
  },
  'anything-but': (operand, path) => {
    if (!isObject(operand)) return anythingBut(list(operand, path), path);
    const [name, inner] = single(operand, path);
    const operator = ['prefix', 'suffix', 'wildcard', 'equals-ignore-case'].includes(name) ? OPERATORS[name] : undefined;
    if (!operator) throw new PatternError(`${path} has "${name}". anything-but knows prefix, suffix, wildcard and equals-ignore-case.`);
    const here = `${path}.${name}`;
    const values = list(inner, here).map((item) => string(item, here));
    if (name.endsWith('fix') && values.includes('')) throw new PatternError(`${here} is empty, which EventBridge refuses. Name a text.`);
    const checks = values.map((item) => operator(item, here));
    return (value) => !checks.some((check) => check(value));
  },
};

/** Compiles the tests of `path`. Throws PatternError. */
export function condition(tests: readonly unknown[], path: string): Condition {
  const exact = new Set<unknown>();
  const addresses = new Set<string>();
  const checks: Check[] = [];
  let absent = false;
  for (const [index, test] of tests.entries()) {
    const here = `${path}[${index}]`;
    // event-ruler compares addresses as addresses: ["::1"] matches "0:0:0:0:0:0:0:1".
    const address = typeof test === 'string' ? hexAddress(test) : undefined;
    if (address) addresses.add(address);
    else if (!isObject(test)) exact.add(scalar(test, here));
    else {
      const [name, operand] = single(test, here);
      if (name !== 'exists') checks.push(operatorNamed(name, here)(operand, `${here}.${name}`));
      else if (typeof operand !== 'boolean')
        throw new PatternError(`${here}.exists must be true or false, not ${JSON.stringify(operand)}.`);
      else if (operand) checks.push(() => true);
      else absent = true;
    }
  }
  if (addresses.size > 0) checks.push(text((value) => addresses.has(hexAddress(value) ?? '')));
  return { absent, test: (value) => exact.has(value) || checks.some((check) => check(value)) };
}

function operatorNamed(name: string, path: string): Operator {
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (operator) return operator;
  throw new PatternError(`${path} has the unknown operator "${name}". EventBridge knows ${Object.keys(OPERATORS).join(', ')} and exists.`);
}

function anythingBut(values: readonly unknown[], path: string): Check {
  const kind = typeof values[0];
  if ((kind !== 'string' && kind !== 'number') || values.some((value) => typeof value !== kind)) {
    throw new PatternError(`${path} must hold only strings or only numbers, not ${JSON.stringify(values)}.`);
  }
  const excluded = new Set(values);
  return (value) => !excluded.has(value);
}

/** Each character of the pattern stands for its lower and its upper case, one by one as in event-ruler: "ß" matches "SS", "ss" does not match "ß". */
function folded(operand: unknown, frame: (source: string) => string, path: string): Check {
  const cases = (character: string): string => `(?:${escaped(character.toLowerCase())}|${escaped(character.toUpperCase())})`;
  const expression = new RegExp(frame(string(operand, path).split('').map(cases).join('')));
  return quoted((value) => expression.test(value));
}

const escaped = (literal: string): string => literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const COMPARISONS: Record<string, (value: number, bound: number) => boolean> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

/** One comparison, or a lower bound followed by a higher upper bound. */
function numericBounds(operand: unknown, path: string): ((value: number) => boolean)[] {
  const terms: unknown[] = Array.isArray(operand) ? operand : [];
  const signs = terms.filter((_, index) => index % 2 === 0).join(' ');
  const bounds = terms.filter((term, index): term is number => index % 2 === 1 && typeof term === 'number');
  if (!/^(=|<=?|>=?|>=? <=?)$/.test(signs) || terms.length !== bounds.length * 2) {
    throw new PatternError(`${path} must be like [">=", 3] or [">", 0, "<=", 5], lower bound first, not ${JSON.stringify(operand)}.`);
  }
  const [low = 0, high = Infinity] = bounds;
  if (low >= high) throw new PatternError(`${path}: the lower bound must be below the upper one, not ${JSON.stringify(operand)}.`);
  return signs.split(' ').map((sign, index) => (value) => COMPARISONS[sign]?.(value, bounds[index] ?? Number.NaN) ?? false);
}

const text =
  (check: (value: string) => boolean): Check =>
  (value) =>
    typeof value === 'string' && check(value);

/** event-ruler compares JSON texts, so a prefix may run into the closing quote: `{"prefix": "a\""}` matches "a". */
const quoted = (check: (value: string) => boolean): Check => text((value) => check(`"${value}"`));

function list(operand: unknown, path: string): unknown[] {
  const values = Array.isArray(operand) ? operand : [operand];
  if (values.length === 0) throw new PatternError(`${path} is an empty list, which EventBridge refuses. Name a value.`);
  return values;
}

function single(operand: object, path: string): [string, unknown] {
  const [entry, ...more] = Object.entries(operand);
  if (!entry || more.length > 0) {
    throw new PatternError(`${path} must have exactly one operator, not ${JSON.stringify(operand)}. Write one object for each.`);
  }
  return entry;
}

function only(name: string, operand: object, path: string): unknown {
  const [found, inner] = single(operand, path);
  if (found !== name) throw new PatternError(`${path} has "${found}". Only a string or { "${name}": … } can stand here.`);
  return inner;
}

function string(operand: unknown, path: string): string {
  if (typeof operand === 'string') return operand;
  throw new PatternError(`${path} must be a string, not ${JSON.stringify(operand)}.`);
}

function scalar(value: unknown, path: string): Scalar {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new PatternError(`${path} must be a string, number, boolean, null or an operator, not ${JSON.stringify(value)}.`);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
