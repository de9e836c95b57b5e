import { canonical } from '../shared/canonical.ts';

type Container = Record<string, unknown>;

interface Operation {
  op: string;
  path: string;
  value?: unknown;
}

/** RFC 6902 as the API server applies it, on a copy; undefined when a `test` fails or a path does not exist (a 422). */
export function applyJsonPatch<T>(document: T, operations: Operation[]): T | undefined {
  const copy = structuredClone(document) as unknown as Container;
  for (const { op, path, value } of operations) {
    const keys = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    const parent = keys.reduce<unknown>((node, key) => (node as Container | undefined)?.[key], copy) as Container | undefined;
    if (parent === undefined || typeof parent !== 'object') return undefined;
    if (op === 'test' && canonical(parent[last]) !== canonical(value)) return undefined;
    if ((op === 'remove' || op === 'replace') && !(last in parent)) return undefined;
    if (op === 'add' && Array.isArray(parent)) parent.splice(last === '-' ? parent.length : Number(last), 0, value);
    else if (op === 'add' || op === 'replace') parent[last] = value;
    else if (op === 'remove' && Array.isArray(parent)) parent.splice(Number(last), 1);
    else if (op === 'remove') delete parent[last];
  }
  return copy as T;
}

/** RFC 7386, on a copy. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return structuredClone(patch);
  const result: Container = isObject(target) ? structuredClone(target) : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}

/** JSON pointers of the leaves; arrays are leaves. */
export function leavesOf(value: unknown, at = ''): string[] {
  if (!isObject(value)) return [at];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`));
}

const isObject = (value: unknown): value is Container => typeof value === 'object' && value !== null && !Array.isArray(value);
