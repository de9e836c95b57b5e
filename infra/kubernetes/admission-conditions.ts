import { keysOf } from '../../shared/json-patch.ts';
import { FIELD_MANAGER } from '../../shared/kubemend-marks.ts';
import { SCHEMA_LEVELS } from '../../shared/schema-defaults.ts';
import { ANYTHING, type FieldTree, fieldTree, listKeyOf, type Patch, type Write } from '../../shared/write.ts';

/** The CEL expression that holds for exactly the requests that a declared write covers: the engine's check (`shared/declared-writes.ts`), asked by the API server. */
export function conditionOf(write: Write): string {
  const names = write.names ? [`request.name in ${list(write.names)}`] : [];
  if (write.operation === 'create') return lines([...names, ...newFields(fieldTree(write), at('object'))]);
  const before = Object.entries(write.before ?? {}).map(([pointer, expected]) => matches(at('oldObject', ...keysOf(pointer)), expected));
  if (write.operation === 'delete') return lines([...names, ...before]);
  return lines([
    ...names,
    ...before,
    ...changes(fieldTree(write), at('oldObject'), at('object')),
    ...stays(write),
    ...ownership(write.changes),
  ]);
}

/** A value in CEL: a variable and the keys below it. `depth` numbers the variables of nested lists. */
interface At {
  variable: string;
  keys: string[];
  depth: number;
}
const at = (variable: string, ...keys: string[]): At => ({ variable, keys, depth: 0 });
const below = (place: At, key: string): At => ({ ...place, keys: [...place.keys, key] });

/** Nothing is another than before but what the tree names. */
function changes({ keys, each }: FieldTree, before: At, after: At): string[] {
  if (each) {
    const { x, y } = elements(after);
    const same = changes(each.below, y, x);
    return [
      `${arrayAt(after)}.map(${x.variable}, ${member(x, each.by)}) == ${arrayAt(before)}.map(${x.variable}, ${member(x, each.by)})`,
      // With one key, two elements could trade places.
      `${arrayAt(after)}.all(${x.variable}, ${arrayAt(before)}.exists_one(${y.variable}, ${member(x, each.by)} == ${member(y, each.by)}))`,
      `${arrayAt(after)}.all(${x.variable}, ${arrayAt(before)}.exists(${y.variable},\n${indented(lines([`${member(x, each.by)} == ${member(y, each.by)}`, ...same]))}))`,
    ];
  }
  const key = `k${after.depth}`;
  const named = list([...keys.keys()]);
  const [old, now] = [mapAt(before), mapAt(after)];
  return [
    `${now}.all(${key}, ${key} in ${named} || (${key} in ${old} && ${now}[${key}] == ${old}[${key}]))`,
    `${old}.all(${key}, ${key} in ${named} || ${key} in ${now})`,
    ...[...keys].flatMap(([name, tree]) => {
      const [its, wanted] = [below(before, name), below(after, name)];
      if (tree.may === ANYTHING) return [];
      return tree.may === undefined
        ? changes(tree, its, wanted)
        : [`(${optional(wanted)} == ${optional(its)} || ${matches(wanted, tree.may)})`];
    }),
  ];
}

/** A new object has no other field than those that the tree names, and these match. */
function newFields({ keys, each }: FieldTree, object: At): string[] {
  if (each) {
    const { x } = elements(object);
    return [`${arrayAt(object)}.all(${x.variable},\n${indented(lines(newFields(each.below, x)))})`];
  }
  const key = `k${object.depth}`;
  return [
    `${mapAt(object)}.all(${key}, ${key} in ${list([...keys.keys()])})`,
    ...[...keys].flatMap(([name, tree]) => {
      if (tree.may === ANYTHING) return [];
      return tree.may === undefined ? newFields(tree, below(object, name)) : [matches(below(object, name), tree.may)];
    }),
  ];
}

/**
 * Any client may write managedFields: who owns a field, and since when. So only the API server's own changes pass: kubemend's entry, and fields
 * that another manager loses. An entry may vanish only if it held nothing outside the parts of the object that the write changes.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#clearing-managedfields
 */
function ownership(fields: object): string[] {
  const parts = [...new Set(Object.keys(fields).map((pointer) => `f:${keysOf(pointer)[0]}`))];
  const [before, after] = ['oldObject', 'object'].map(
    (variable) => `(${variable} == null ? [] : ${variable}.metadata.?managedFields.orValue([]))`,
  );
  const same = ['manager', 'operation', 'apiVersion', 'time', 'subresource'].map((key) => `o.?${key} == m.?${key}`).join(' && ');
  return [
    `${after}.all(m, m.?manager.orValue("") in ${list(KUBEMEND)} || ${before}.exists(o, ${same}))`,
    `${before}.all(o, o.?manager.orValue("") in ${list(KUBEMEND)} || o.?fieldsV1.orValue({}).all(f, f in ${list(parts)}) || ${after}.exists(m, ${same}))`,
  ];
}

/** kubemend, and what the API server calls the owner of fields from before the first apply, and of more than ten managers' oldest changes. */
const KUBEMEND = [FIELD_MANAGER, 'before-first-apply', 'ancient-changes'];

/** What must survive inside a field that may change. */
const stays = ({ keeps = [], same = [], noDefaults = [] }: Patch): string[] => [
  ...keeps.map((pointer) =>
    survives(keysOf(pointer), at('oldObject'), at('object'), (old, now) => `${mapAt(old)}.all(k, k in ${mapAt(now)})`),
  ),
  ...same.map((pointer) => survives(keysOf(pointer), at('oldObject'), at('object'), (old, now) => `${optional(old)} == ${optional(now)}`)),
  ...noDefaults.map((pointer) =>
    survives(keysOf(pointer), at('object'), at('object'), (schema) => `[${mapAt(schema)}].all(s0, ${withoutDefaults()})`),
  ),
];

/** A schema, the variable `s0`, and all below it set no default. CEL knows no recursion: one `all` for each level. */
function withoutDefaults(level = 0): string {
  const schema = `s${level}`;
  const [properties, others] = [
    `(has(${schema}.properties) ? ${schema}.properties.map(p, ${schema}.properties[p]) : [])`,
    ['items', 'additionalProperties'].map((key) => `(has(${schema}.${key}) && type(${schema}.${key}) != bool ? [${schema}.${key}] : [])`),
  ];
  const below = [properties, ...others].join(' + ');
  return `!("default" in ${schema}) && ${level === SCHEMA_LEVELS ? `size(${below}) == 0` : `(${below}).all(s${level + 1}, ${withoutDefaults(level + 1)})`}`;
}

/** `condition` holds of every place that the pointer names in the old object, and its counterpart. */
function survives([token, ...rest]: string[], before: At, after: At, condition: (before: At, after: At) => string): string {
  if (token === undefined) return condition(before, after);
  const by = listKeyOf(token);
  const { x, y } = elements(before);
  if (by) {
    const inside = survives(rest, x, y, condition);
    return `${arrayAt(before)}.all(${x.variable}, ${arrayAt(after)}.exists(${y.variable}, ${member(x, by)} == ${member(y, by)} &&\n${indented(inside)}))`;
  }
  if (token !== '*') return survives(rest, below(before, token), below(after, token), condition);
  const [old, now] = [mapAt(before), mapAt(after)];
  const key = `k${before.depth}`;
  const [its, wanted] = [`${old}[${key}]`, `${now}[${key}]`].map((variable) => ({ ...at(variable), depth: before.depth + 1 })) as [At, At];
  return `${old}.all(${key}, ${key} in ${now} && ${survives(rest, its, wanted, condition)})`;
}

/** The variables for an element of a list, and for its counterpart. */
const elements = ({ depth }: At): { x: At; y: At } => ({
  x: { variable: `x${depth}`, keys: [], depth: depth + 1 },
  y: { variable: `y${depth}`, keys: [], depth: depth + 1 },
});

const optional = ({ variable, keys }: At): string => `${variable}${keys.map(field).join('')}`;
const orElse = (place: At, otherwise: string): string =>
  place.keys.length === 0 ? place.variable : `${optional(place)}.orValue(${otherwise})`;
const mapAt = (place: At): string => orElse(place, '{}');
const arrayAt = (place: At): string => orElse(place, '[]');
const matches = (place: At, expected: string): string => `string(${orElse(place, '""')}).matches(${quote(expected)})`;
const member = ({ variable }: At, path: string[]): string => `${variable}${path.map((key) => `.${key}`).join('')}`;

/** `.?spec`, or `[?"strimzi.io/kraft"]`: an absent field is an empty optional. */
const field = (key: string): string => (/^[A-Za-z]\w*$/.test(key) && !RESERVED.has(key) ? `.?${key}` : `[?${quote(key)}]`);
const RESERVED = new Set([
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'in',
  'let',
  'loop',
  'namespace',
  'package',
  'return',
  'var',
  'void',
  'while',
]);

const lines = (conditions: string[]): string => conditions.join(' &&\n') || 'true';
const indented = (text: string): string => text.replaceAll(/^/gm, '  ');
const list = (values: string[]): string => `[${values.map(quote).join(', ')}]`;
const quote = (value: string): string => JSON.stringify(value);
