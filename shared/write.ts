import { keysOf } from './json-patch.ts';

/**
 * One kind of write that a remediation may make. The engine checks every plan against it before it sends anything (`declared-writes.ts`);
 * the RBAC verb and the admission policy of the remediation are generated from it (`infra/kubernetes/`).
 */
export type Write = Patch | Create | Delete;

interface Common {
  group: string;
  resource: string;
  /** Only the objects of these names. */
  names?: string[];
  /** `cluster`: the kind has no namespaces. */
  scope?: 'cluster';
  /** The worst that a stolen token can do with it, for the threat model: a verb phrase. */
  worst: string;
  /** Names the objects for `kubemend rights --pin`; until they are named, every object of the kind. */
  pinnable?: string;
}

/**
 * Fields by JSON pointer. A token `[name]` stands for each element of a list that keeps its elements and their order, known by that field
 * (`/spec/pods/[metadata.name]/metadata`); `*` stands for each key of a map.
 */
type Fields = { [pointer: string]: string };

/** What a field may become when any value will do. */
export const ANYTHING = 'anything';

/** A change of an object that is there. `apply`: server-side apply of a pinned document. */
export interface Patch extends Common {
  operation: 'patch' | 'apply';
  /** The only fields that may change, with a regular expression (in the syntax that RE2 and JavaScript share) for the new value as text; an absent value is the empty text. */
  changes: Fields;
  /** What the object must be before: a regular expression for the text of each field. */
  before?: Fields;
  /** Maps that lose no key, whatever else changes around them. */
  keeps?: string[];
  /** Values that stay equal, whatever else changes around them. */
  same?: string[];
  /** OpenAPI schemas that set no default afterwards, at any depth. */
  noDefaults?: string[];
}

/** A new object. */
export interface Create extends Common {
  operation: 'create';
  /** The only fields it may have besides its name and namespace, with a regular expression for the value as text. */
  fields: Fields;
}

export interface Delete extends Common {
  operation: 'delete';
  /** What the object must be: a regular expression for the text of each field. */
  before: Fields;
}

/** Pointers as a tree: what lies below each token. */
export interface FieldTree {
  /** Set where a pointer ends: what the value may become. */
  may?: string;
  keys: Map<string, FieldTree>;
  /** The elements of a list, and the field they are known by. */
  each?: { by: string[]; below: FieldTree };
}

/** The list key of a token such as `[metadata.name]`; undefined for any other token. */
export const listKeyOf = (token: string): string[] | undefined => /^\[([\w.]+)\]$/.exec(token)?.[1]?.split('.');

/** What only the API server writes in an object, whoever asks. */
const SERVER = ['/metadata/managedFields', '/metadata/resourceVersion', '/metadata/generation'];
/** What an object has from its creation. */
const IDENTITY = ['/apiVersion', '/kind', '/metadata/name', '/metadata/namespace', '/metadata/uid', '/metadata/creationTimestamp'];

/** The fields that a write may change, with those that the API server writes by itself. */
export function fieldTree(write: Patch | Create): FieldTree {
  const root: FieldTree = { keys: new Map() };
  const fields = write.operation === 'create' ? write.fields : write.changes;
  for (const pointer of write.operation === 'create' ? [...SERVER, ...IDENTITY] : SERVER) add(root, keysOf(pointer), ANYTHING);
  for (const [pointer, may] of Object.entries(fields)) add(root, keysOf(pointer), may);
  return root;
}

function add(node: FieldTree, [token, ...rest]: string[], may: string): void {
  if (token === undefined) {
    node.may = may;
    return;
  }
  const by = listKeyOf(token);
  if (by) node.each ??= { by, below: { keys: new Map() } };
  const next = by ? node.each?.below : (node.keys.get(token) ?? { keys: new Map() });
  if (!next) return;
  if (!by) node.keys.set(token, next);
  add(next, rest, may);
}
