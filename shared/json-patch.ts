import { canonical, type Json } from './canonical.ts';
import type { Operation } from './plan.ts';

type Container = Record<string, Json>;

/** The keys of a JSON pointer (RFC 6901). */
export const keysOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

/** The value at a JSON pointer; undefined where there is none. */
export const valueAt = (document: unknown, pointer: string): unknown =>
  keysOf(pointer).reduce<unknown>((node, key) => (isContainer(node) && Object.hasOwn(node, key) ? node[key] : undefined), document);

/** RFC 6902 (add, replace, remove, test) as the API server applies it, on a copy; undefined when a `test` fails, a path does not exist (a 422) or an operation is another one. */
export function applyJsonPatch<T>(document: T, operations: Operation[]): T | undefined {
  const copy = structuredClone(document);
  for (const { op, path, value = null } of operations) {
    const last = keysOf(path).at(-1) ?? '';
    const parent = valueAt(copy, path.slice(0, path.lastIndexOf('/')));
    if (!isContainer(parent)) return undefined;
    if (op === 'test' && canonical(parent[last]) !== canonical(value)) return undefined;
    if ((op === 'remove' || op === 'replace') && !(last in parent)) return undefined;
    if (op === 'add' && Array.isArray(parent)) parent.splice(last === '-' ? parent.length : Number(last), 0, value);
    else if (op === 'add' || op === 'replace') parent[last] = value;
    else if (op === 'remove' && Array.isArray(parent)) parent.splice(Number(last), 1);
    else if (op === 'remove') delete parent[last];
    // `move` and `copy` of a stored plan, whatever its type says.
    else if (op !== 'test') return undefined;
  }
  return copy;
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;
