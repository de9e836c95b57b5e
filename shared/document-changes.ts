import { appliedDocument } from './applied-document.ts';
import { canonical } from './canonical.ts';
import type { Cluster } from './cluster.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import type { Apply } from './plan.ts';

/** The record travels on the bus, and nobody reads more in a message. */
const MOST = 20;

type How = '-' | '+' | '~';
interface Change {
  how: How;
  /** `spec.versions[v1].served` */
  path: string;
}

/**
 * What an applied document changes of a live object, by path, for people: `- removed`, `+ added`, `~ changed`, and how many more there are.
 * Undefined where the document is not there: it is shown beside the plan and decides nothing.
 */
export async function documentChanges(step: Apply, live: KubernetesObject, cluster: Cluster): Promise<string[] | undefined> {
  const pinned = await cluster.artifact(step.document.artifact);
  if (pinned?.sha256 !== step.document.sha256) return undefined;
  const found = await appliedDocument(step, pinned.text);
  return found && linesOf(live, found);
}

/** What somebody loses is told first, what is only worded another way last; of the others, the outer fields before the inner. */
export function linesOf(live: KubernetesObject, { status: _, ...document }: KubernetesObject): string[] {
  const changes = changesBetween(live, document, '', false);
  const rank = ({ how, path }: Change): number => (path.endsWith('.description') ? 3 : ['-', '+', '~'].indexOf(how));
  const depth = ({ path }: Change): number => path.split(/[.[]/).length;
  const sorted = changes.toSorted((a, b) => rank(a) - rank(b) || depth(a) - depth(b));
  // Of a schema the names of its fields are enough, and twice as short.
  const lines = sorted.map(
    ({ how, path }) => `${how} ${path.replace('.schema.openAPIV3Schema.', '.schema.').replaceAll('.properties.', '.')}`,
  );
  return lines.length > MOST ? [...lines.slice(0, MOST), `and ${lines.length - MOST} more`] : lines;
}

/** A server-side apply leaves fields that the document does not name, but not in a list that it replaces as a whole (the versions of a CRD). */
function changesBetween(live: unknown, written: unknown, path: string, inList: boolean): Change[] {
  if (canonical(live) === canonical(written)) return [];
  if (live === undefined) return isEmpty(written) ? [] : [{ how: '+', path }];
  if (isPlain(live) && isPlain(written)) {
    const gone = inList ? Object.keys(live).filter((key) => written[key] === undefined && !isEmpty(live[key])) : [];
    return [
      ...gone.map((key): Change => ({ how: '-', path: below(path, key) })),
      ...Object.entries(written).flatMap(([key, value]) => changesBetween(live[key], value, below(path, key), inList)),
    ];
  }
  const [before, after] = [live, written].map(membersOf);
  if (!before || !after) return [{ how: '~', path }];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name): Change[] => {
    const at = `${path}[${name}]`;
    return after.has(name) ? changesBetween(before.get(name), after.get(name), at, true) : [{ how: '-', path: at }];
  });
}

/** The members of a list by what people know them by: their name, or themselves. Undefined for any other list. */
function membersOf(list: unknown): Map<string, unknown> | undefined {
  if (!Array.isArray(list)) return undefined;
  const named = list.map((item): [unknown, unknown] => [isPlain(item) ? item.name : item, item]);
  const members = new Map(
    named.filter(([name]) => ['string', 'number', 'boolean'].includes(typeof name)).map(([name, item]) => [String(name), item]),
  );
  return members.size === list.length ? members : undefined;
}

const below = (path: string, key: string): string => {
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
};

const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the server drops because nothing is in it. */
const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (typeof value === 'object' && Object.values(value).every(isEmpty));
