import type { Schema } from './crd.ts';

/**
 * Whether every object that `live` accepts (and has pruned) matches exactly one branch of a `oneOf`, by the presence of its keys alone:
 * one branch asks only for keys that `live` requires, and every other branch asks for a key that `live` prunes. False means "not proven".
 */
export function alwaysOneOf(live: Schema, branches: unknown): boolean {
  if (live.type !== 'object' || live.additionalProperties || live['x-kubernetes-preserve-unknown-fields']) return false;
  const wanted = Array.isArray(branches) ? branches.map(keysWanted) : [];
  const certain = wanted.filter((keys) => keys?.every((key) => live.required?.includes(key)));
  const impossible = wanted.filter((keys) => keys?.some((key) => !Object.hasOwn(live.properties ?? {}, key)));
  return certain.length === 1 && impossible.length === wanted.length - 1;
}

/** The keys a branch requires, when that is all it does: `{ required: ['a'], properties: { a: {} } }`. */
function keysWanted(branch: unknown): string[] | undefined {
  if (typeof branch !== 'object' || branch === null) return undefined;
  const { required = [], properties = {}, ...more } = branch as Schema;
  const plain = Object.keys(more).length === 0 && Object.values(properties).every((schema) => Object.keys(schema).length === 0);
  return plain ? required : undefined;
}
