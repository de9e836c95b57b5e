import { applyJsonPatch, valueAt } from './json-patch.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import type { Operation } from './plan.ts';

/** What a JSON Patch makes of an object, and the pointers that it changes; undefined: it does not fit the object. */
export function patchedRegions(
  operations: Operation[],
  before: KubernetesObject,
): { after: KubernetesObject; regions: string[] } | undefined {
  const changes = operations.filter(({ op }) => op !== 'test');
  const after = applyJsonPatch(before, changes);
  return after && { after, regions: [...new Set(changes.map(({ path }) => regionOf(path, before)))] };
}

/** Of an array: the whole array. An index would mean another element after the next change. */
function regionOf(path: string, before: KubernetesObject): string {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return Array.isArray(valueAt(before, parent)) ? parent : path;
}
