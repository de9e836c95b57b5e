import { canonical } from './canonical.ts';
import { applyJsonPatch, keysOf, valueAt } from './json-patch.ts';
import { INCIDENT_ANNOTATION } from './kubemend-marks.ts';
import { type KubernetesObject, nameOf } from './kubernetes/object.ts';
import type { ObjectStep, Step } from './plan.ts';
import { schemaDefaults } from './schema-defaults.ts';
import { ANYTHING, type FieldTree, fieldTree, listKeyOf, type Patch, type Write } from './write.ts';
import { isZnodeStep } from './znode-step.ts';

/** A step and what it works on. */
export interface Proposed {
  step: Step;
  /** The object as it is; undefined for one that does not exist. */
  live: KubernetesObject | undefined;
  /** What an `apply` sends. */
  document?: KubernetesObject | undefined;
  /** The incident, which a `create` notes on its object. */
  incident: string;
}

/**
 * Why a step goes beyond the writes its remediation declares, in one sentence; undefined when one of them covers it. The admission policy of
 * the remediation asks the same on the API server. A step on ZooKeeper is no request that the API server could check: it is not asked about.
 */
export function undeclared(writes: Write[], { step, live, document, incident }: Proposed): string | undefined {
  if (isZnodeStep(step)) return undefined;
  const { group, resource, name } = step.target;
  const declared = writes.filter(
    (write) =>
      write.operation === OPERATIONS[step.kind] &&
      write.group === group &&
      write.resource === resource &&
      (write.names?.includes(name) ?? true),
  );
  const subject = `${step.kind} on ${nameOf(step.target)}`;
  if (declared.length === 0) return `${subject} is not among the writes that this remediation declares`;
  if (step.kind !== 'create' && !live) return `${subject}: the object does not exist`;
  const after = step.kind === 'create' ? stamped(step.object, incident) : resultOf(step, live, document);
  if (after === undefined && step.kind !== 'delete') return `${subject}: the patch does not fit the object`;
  const reasons = declared.map((write) => beyond(write, live, after));
  if (reasons.some((its) => its.length === 0)) return undefined;
  const each = reasons.map((its) => its.slice(0, 5).join(', '));
  return `${subject} goes beyond the writes that this remediation declares: ${each.join('; or ')}`;
}

const OPERATIONS = { 'json-patch': 'patch', 'merge-patch': 'patch', apply: 'apply', create: 'create', delete: 'delete' } as const;

/** The object as the step would leave it, without what only the API server knows (defaults). */
function resultOf(
  step: Exclude<ObjectStep, { kind: 'create' }>,
  live: KubernetesObject | undefined,
  document: KubernetesObject | undefined,
): unknown {
  switch (step.kind) {
    case 'json-patch':
      return applyJsonPatch(live, step.operations);
    case 'merge-patch':
      return merged(live, step.patch, true);
    case 'apply':
      return document && appliedTo(live, document);
    case 'delete':
      return undefined;
  }
}

/** A new object as it is sent. */
const stamped = (object: KubernetesObject, incident: string): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [INCIDENT_ANNOTATION]: incident } },
});

/** A document says of which kind it is; that changes nothing. */
const appliedTo = (live: unknown, { apiVersion: _, kind: __, ...document }: KubernetesObject): unknown => merged(live, document, false);

/** RFC 7386, on a copy. A server-side apply merges maps in the same way, but a null of it removes nothing; lists count as replaced as a whole. */
function merged(live: unknown, patch: unknown, nullRemoves: boolean): unknown {
  if (!isMap(patch)) return patch;
  const result: Record<string, unknown> = isMap(live) ? { ...live } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null && nullRemoves) delete result[key];
    else result[key] = merged(result[key], value, nullRemoves);
  }
  return result;
}

/** What of the write is not allowed by this declaration, by JSON pointer. */
function beyond(write: Write, live: unknown, after: unknown): string[] {
  const wasWrong = Object.entries('before' in write ? (write.before ?? {}) : {}).flatMap(([pointer, expected]) =>
    new RegExp(expected).test(textOf(valueAt(live, pointer))) ? [] : [`${pointer} is ${textOf(valueAt(live, pointer)) || 'absent'}`],
  );
  if (write.operation === 'delete') return wasWrong;
  const isNew = write.operation === 'create';
  const changed = outside(isNew ? {} : live, after, fieldTree(write), '', isNew);
  return [...wasWrong, ...changed, ...(isNew ? [] : lost(write, live, after))];
}

/** The changes that the tree does not allow. Of a new object, every declared field is compared, as one that is absent too. */
function outside(before: unknown, after: unknown, { may, keys, each }: FieldTree, at: string, isNew: boolean): string[] {
  if (may !== undefined) {
    if (may === ANYTHING || (!isNew && canonical(before) === canonical(after)) || new RegExp(may).test(textOf(after))) return [];
    return [`${at} would become ${textOf(after) || 'absent'}`];
  }
  if (!isNew && canonical(before) === canonical(after)) return [];
  if (each && Array.isArray(after) && (isNew || Array.isArray(before))) {
    const old = (Array.isArray(before) ? before : []) as unknown[];
    const [had, has] = [old, after].map((list) => list.map((one) => canonical(idOf(one, each.by))));
    // Two elements of one key cannot be told apart.
    if (!isNew && (canonical(had) !== canonical(has) || new Set(has).size < after.length)) return [`${at} (its elements)`];
    return after.flatMap((element, index) => outside(old[index], element, each.below, `${at}/${index}`, isNew));
  }
  if (keys.size > 0 && (isMap(before) || before === undefined) && (isMap(after) || after === undefined)) {
    const [old, now] = [before ?? {}, after ?? {}];
    const names = new Set([...Object.keys(old), ...Object.keys(now), ...(isNew ? keys.keys() : [])]);
    return [...names].flatMap((key) => {
      const below = keys.get(key);
      const pointer = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (below) return outside(old[key], now[key], below, pointer, isNew);
      return canonical(old[key]) === canonical(now[key]) ? [] : [pointer];
    });
  }
  return isNew && after === undefined ? [] : [at || '/'];
}

/** What had to stay and did not. */
const lost = ({ keeps = [], same = [], noDefaults = [] }: Patch, before: unknown, after: unknown): string[] => [
  ...keeps.flatMap((pointer) =>
    counterparts(before, after, keysOf(pointer), '').flatMap(({ old, now, path }) =>
      Object.keys(isMap(old) ? old : {}).flatMap((key) => (isMap(now) && Object.hasOwn(now, key) ? [] : [`${path}/${key} must stay`])),
    ),
  ),
  ...same.flatMap((pointer) =>
    counterparts(before, after, keysOf(pointer), '').flatMap(({ old, now, path }) =>
      canonical(old) === canonical(now) ? [] : [`${path} must stay`],
    ),
  ),
  ...noDefaults.flatMap((pointer) =>
    counterparts(after, after, keysOf(pointer), '').flatMap(({ now, path }) =>
      schemaDefaults(now).map((place) => `${path}${place} must not be there`),
    ),
  ),
];

/** Every place that a pointer names in the old object, with its counterpart in the new one. */
function counterparts(
  old: unknown,
  now: unknown,
  [token, ...rest]: string[],
  path: string,
): { old: unknown; now: unknown; path: string }[] {
  if (token === undefined) return [{ old, now, path }];
  const by = listKeyOf(token);
  if (by) {
    const [before, after] = [old, now].map((list) => (Array.isArray(list) ? (list as unknown[]) : []));
    return (before ?? []).flatMap((element) => {
      const other = after?.find((one) => idOf(one, by) === idOf(element, by));
      return counterparts(element, other, rest, `${path}/${idOf(element, by)}`);
    });
  }
  const names = token === '*' ? Object.keys(isMap(old) ? old : {}) : [token];
  return names.flatMap((key) => counterparts(memberOf(old, key), memberOf(now, key), rest, `${path}/${key}`));
}

const memberOf = (value: unknown, key: string): unknown => (isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined);
const idOf = (element: unknown, by: string[]): unknown => by.reduce<unknown>(memberOf, element);

/** A value as the API server's `string()` writes it; what is not a scalar matches nothing that is asked for. */
const textOf = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
