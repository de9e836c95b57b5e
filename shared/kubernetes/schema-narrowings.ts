import { canonical } from '../canonical.ts';
import type { Schema } from './crd.ts';
import { alwaysOneOf } from './one-of-proof.ts';

type Tell = (text: string) => void;

/**
 * Where `target` accepts or keeps less than `live`, as `.path: what`, `[]` for array items and `.*` for map values.
 * Strict where it cannot know: a changed type, pattern, format, `oneOf` or list type counts even if it might be wider.
 */
export function narrowings(live: Schema, target: Schema, path: string): string[] {
  const found: string[] = [];
  const tell: Tell = (text) => found.push(`${path || '.'}: ${text}`);
  compareValues(live, target, tell);
  compareBounds(live, target, tell);
  compareKubernetes(live, target, tell);
  compareRequired(live, target, tell);
  return [...found, ...propertyNarrowings(live, target, path), ...mapNarrowings(live, target, path), ...itemNarrowings(live, target, path)];
}

const typeOf = (schema: Schema): string => (schema['x-kubernetes-int-or-string'] ? 'int-or-string' : (schema.type ?? 'any'));
const preserves = (schema: Schema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true;

function compareValues(live: Schema, target: Schema, tell: Tell): void {
  const type = typeOf(target);
  if (type !== 'any' && type !== typeOf(live)) tell(`type ${typeOf(live)} → ${type}`);
  else if (live['x-kubernetes-int-or-string'] && type === 'any') tell('x-kubernetes-int-or-string lost');
  if (live.nullable && !target.nullable) tell('null no longer allowed');
  if (target.enum && !live.enum) tell(`enum added (${target.enum.map(canonical).join(', ')})`);
  const kept = new Set(target.enum?.map(canonical));
  for (const value of target.enum ? (live.enum ?? []).map(canonical) : []) if (!kept.has(value)) tell(`enum loses ${value}`);
  for (const keyword of ['pattern', 'format', 'multipleOf'] as const) addedOrChanged(keyword, live, target, tell);
  for (const keyword of ['anyOf', 'allOf', 'not'] as const) addedOrChanged(keyword, live, target, tell);
  if (!alwaysOneOf(live, target.oneOf)) addedOrChanged('oneOf', live, target, tell);
  compareDefaults(live, target, tell);
  if (target.uniqueItems === true && live.uniqueItems !== true) tell('uniqueItems added');
}

/** The API server fills a default in when it reads an object that leaves the field out, so any difference changes what stored objects say. */
function compareDefaults({ default: before }: Schema, { default: after }: Schema, tell: Tell): void {
  if (text(before) !== text(after)) tell(`default ${text(before)} → ${text(after)}`);
}

function addedOrChanged(keyword: string, live: Schema, target: Schema, tell: Tell): void {
  const [before, after] = [live[keyword], target[keyword]];
  if (after === undefined || text(before) === text(after)) return;
  tell(before === undefined ? `${keyword} added (${text(after)})` : `${keyword} ${text(before)} → ${text(after)}`);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : value === undefined ? 'none' : canonical(undescribed(value)));

/** Drops descriptions, but not a property that is named "description". */
function undescribed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(undescribed);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, inner]) => key !== 'description' || typeof inner !== 'string');
  return Object.fromEntries(kept.map(([key, inner]) => [key, undescribed(inner)]));
}

function compareBounds(live: Schema, target: Schema, tell: Tell): void {
  const bounds = [
    { keywords: ['maximum', 'maxLength', 'maxItems', 'maxProperties'], tighter: (before: number, after: number) => after < before },
    { keywords: ['minimum', 'minLength', 'minItems', 'minProperties'], tighter: (before: number, after: number) => after > before },
  ];
  for (const { keywords, tighter } of bounds) {
    for (const keyword of keywords) {
      const [before, after] = [live[keyword], target[keyword]];
      if (typeof after !== 'number') continue;
      if (typeof before !== 'number') tell(`${keyword} added (${after})`);
      else if (tighter(before, after)) tell(`${keyword} ${before} → ${after}`);
    }
  }
  for (const keyword of ['exclusiveMaximum', 'exclusiveMinimum'] as const) {
    if (target[keyword] === true && live[keyword] !== true) tell(`${keyword} added`);
  }
}

function compareKubernetes(live: Schema, target: Schema, tell: Tell): void {
  if (preserves(live) && !preserves(target)) tell('x-kubernetes-preserve-unknown-fields lost');
  const [embeddedBefore, embeddedAfter] = [live, target].map((schema) => schema['x-kubernetes-embedded-resource'] === true);
  if (embeddedBefore !== embeddedAfter) tell(`x-kubernetes-embedded-resource ${embeddedBefore ? 'lost' : 'added'}`);
  // Absent means atomic for lists and granular for maps (KEP-555), so that writing the default down is no change.
  const merges = [
    ['x-kubernetes-list-type', 'atomic'],
    ['x-kubernetes-list-map-keys', []],
    ['x-kubernetes-map-type', 'granular'],
  ] as const;
  for (const [keyword, absent] of merges) {
    const [before, after] = [live[keyword] ?? absent, target[keyword] ?? absent];
    if (canonical(before) !== canonical(after)) tell(`${keyword} ${text(before)} → ${text(after)}`);
  }
  const rules = new Set(live['x-kubernetes-validations']?.map(({ rule }) => rule));
  for (const { rule } of target['x-kubernetes-validations'] ?? []) if (!rules.has(rule)) tell(`validation added (${rule})`);
}

function compareRequired(live: Schema, target: Schema, tell: Tell): void {
  const required = new Set(live.required);
  for (const name of target.required ?? []) if (!required.has(name)) tell(`${name} is now required`);
}

function propertyNarrowings(live: Schema, target: Schema, path: string): string[] {
  const [before, after] = [new Map(Object.entries(live.properties ?? {})), new Map(Object.entries(target.properties ?? {}))];
  const kept = [...before].flatMap(([name, schema]) => {
    const next = after.get(name) ?? target.additionalProperties;
    if (typeof next === 'object') return narrowings(schema, next, `${path}.${name}`);
    return next === true || preserves(target) ? [] : [`${path}.${name}: the property disappears`];
  });
  // A key that was pruned until now cannot be stored anywhere; one that was kept as it came is validated and pruned from now on.
  const added = [...after].filter(([name]) => !before.has(name));
  const typed = added.flatMap(([name, schema]) => narrowingsOfUnlisted(live, schema, `${path}.${name}`));
  return [...kept, ...typed];
}

function narrowingsOfUnlisted(live: Schema, next: Schema, path: string): string[] {
  if (typeof live.additionalProperties === 'object') return narrowings(live.additionalProperties, next, path);
  const anything = live.additionalProperties === true || preserves(live);
  return anything ? narrowings({ 'x-kubernetes-preserve-unknown-fields': true }, next, path) : [];
}

function mapNarrowings(live: Schema, target: Schema, path: string): string[] {
  const [before, after] = [live.additionalProperties, target.additionalProperties];
  if (typeof after === 'object') return narrowingsOfUnlisted(live, after, `${path}.*`);
  const kept = after === true || preserves(target);
  return !before || kept ? [] : [`${path}.*: additionalProperties disappears`];
}

function itemNarrowings(live: Schema, target: Schema, path: string): string[] {
  if (target.items) return narrowings(live.items ?? { 'x-kubernetes-preserve-unknown-fields': true }, target.items, `${path}[]`);
  return !live.items || preserves(target) ? [] : [`${path}[]: the schema of the items disappears`];
}
