const LIMIT = 100;

/** JSON pointers (RFC 6901) that differ between two JSON values, nothing ignored; array elements by index. At most 100. */
export function changedPointers(before: unknown, after: unknown): string[] {
  const pointers: string[] = [];
  for (const path of differences(before, after)) {
    pointers.push(path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
    if (pointers.length === LIMIT) break;
  }
  return pointers;
}

/** The paths that differ, deepest first found; lazy, so that a caller who has seen enough can stop. */
export function* differences(before: unknown, after: unknown, path: string[] = []): Generator<string[]> {
  if (Object.is(before, after)) return;
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) {
    yield path;
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inBoth = Object.hasOwn(before, key) && Object.hasOwn(after, key);
    if (inBoth) yield* differences(before[key], after[key], [...path, key]);
    else yield [...path, key];
  }
}

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
