type Container = Record<string, unknown>;

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
