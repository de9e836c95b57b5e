interface Tree {
  [field: string]: Tree | true;
}

/** Compiles field paths into a projection: only the named fields, arrays element by element (an element without them becomes `{}`). */
export function projection(paths: string[][]): (object: unknown) => Record<string, unknown> {
  const tree: Tree = Object.create(null);
  for (const path of paths) add(tree, path);
  return (object) => (isPlain(object) ? pick(object, tree) : {});
}

/** One-off form of `projection`. */
export const project = (object: unknown, paths: string[][]): Record<string, unknown> => projection(paths)(object);

function add(tree: Tree, [field, ...rest]: string[]): void {
  if (field === undefined || tree[field] === true) return;
  if (rest.length === 0) {
    tree[field] = true;
    return;
  }
  const below: Tree = tree[field] ?? Object.create(null);
  tree[field] = below;
  add(below, rest);
}

/** `Object.fromEntries` defines its keys, so a field named `__proto__` stays a field. */
function pick(object: Record<string, unknown>, tree: Tree): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  for (const [field, below] of Object.entries(tree)) {
    if (!Object.hasOwn(object, field)) continue;
    const value = object[field];
    if (below === true) kept.push([field, value]);
    else if (Array.isArray(value)) kept.push([field, value.filter(isPlain).map((element) => pick(element, below))]);
    else if (isPlain(value)) kept.push([field, pick(value, below)]);
  }
  return Object.fromEntries(kept);
}

const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
