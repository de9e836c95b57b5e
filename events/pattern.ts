import { alternatives } from './pattern-alternatives.ts';
import { type Condition, condition, type Scalar, type Test } from './pattern-operators.ts';

/** A JSON value; `undefined` stands for a key that is not there. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** An EventBridge event pattern: every key must match, a list matches when one of its tests does, `$or` when one of its patterns does. */
export type Pattern = { readonly [key: string]: Pattern | readonly Test[] | readonly Pattern[] };

/** In which element of which array a value stands: array number to index. */
type Place = ReadonlyMap<number, number>;
type Field = { value: Scalar; place: Place };
type Fields = ReadonlyMap<string, Field[]>;
type Named = { path: string; condition: Condition };

const compiled = new WeakMap<Pattern, (event: Json) => boolean>();

/** Whether EventBridge would deliver `event` to a rule with `pattern`, as event-ruler 2.0.1 decides it. The pattern must not change afterwards. Throws PatternError. */
export function matches(pattern: Pattern, event: Json): boolean {
  const known = compiled.get(pattern) ?? compile(pattern);
  compiled.set(pattern, known);
  return known(event);
}

/** Prepares `pattern` for many events. Throws PatternError, which names the path, where the pattern is malformed. */
export function compile(pattern: Pattern): (event: Json) => boolean {
  const options = alternatives(pattern).map((paths) =>
    // Sorted as event-ruler sorts them: `exists: false` looks only at elements that the paths before it left possible.
    [...paths].map(([path, tests]): Named => ({ path, condition: condition(tests, path) })).sort((a, b) => (a.path < b.path ? -1 : 1)),
  );
  const read = new Set(options.flat().flatMap(({ path }) => prefixes(path)));
  return (event) => {
    const fields = fieldsOf(event, read);
    return isObject(event) && options.some((conditions) => satisfied(conditions, fields));
  };
}

const prefixes = (path: string): string[] => path.split('.').map((_, index, steps) => steps.slice(0, index + 1).join('.'));

/** The event's values by dotted path, only those on the way to a path that the pattern reads. */
function fieldsOf(event: Json, read: ReadonlySet<string>): Fields {
  const fields = new Map<string, Field[]>();
  let arrays = 0;
  const visit = (value: Json | undefined, path: string, place: Place): void => {
    if (isList(value)) {
      const array = arrays++;
      for (const [index, item] of value.entries()) visit(item, path, isScalar(item) ? place : new Map(place).set(array, index));
    } else if (isObject(value)) {
      for (const [key, child] of Object.entries(value)) {
        const here = path === '' ? key : `${path}.${key}`;
        if (read.has(here)) visit(child, here, place);
      }
    } else if (value !== undefined) {
      const found = fields.get(path);
      if (found) found.push({ value, place });
      else fields.set(path, [{ value, place }]);
    }
  };
  visit(event, '', new Map());
  return fields;
}

/** Whether all conditions hold, with those below one array holding in the same element of it. */
function satisfied(conditions: Named[], fields: Fields): boolean {
  const places: Set<Place>[] = [];
  for (const { path, condition } of conditions) {
    const passing = new Set((fields.get(path) ?? []).filter(({ value }) => condition.test(value)).map(({ place }) => place));
    if (passing.size === 0 && !condition.absent) return false;
    places.push(passing);
  }
  const search = (index: number, place: Place): boolean => {
    const named = conditions[index];
    if (!named) return true;
    const absent = named.condition.absent && !(fields.get(named.path) ?? []).some((field) => joined(place, field.place));
    if (absent && search(index + 1, place)) return true;
    return [...(places[index] ?? [])].some((next) => {
      const both = joined(place, next);
      return both !== undefined && search(index + 1, both);
    });
  };
  return search(0, new Map());
}

/** Both places at once, or undefined where they name different elements of one array. */
function joined(left: Place, right: Place): Place | undefined {
  if (right.size === 0) return left;
  for (const [array, index] of right) if ((left.get(array) ?? index) !== index) return undefined;
  return left.size === 0 ? right : new Map([...left, ...right]);
}

const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);
const isScalar = (value: Json): value is Scalar => typeof value !== 'object' || value === null;
const isObject = (value: unknown): value is { readonly [key: string]: Json | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
