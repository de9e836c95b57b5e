import type { ObjectChanged } from '../../object-changed.ts';
import type { ObjectHead, WatchEvent } from '../watch/watch-event.ts';
import { isPhantom } from './phantom.ts';
import { Seen } from './seen.ts';

/** One change of a watched object, between the two states that were seen. */
export interface Change {
  key: string;
  resource: string;
  head: ObjectHead;
  change: ObjectChanged['change'];
  phantom: boolean;
  generationMoved: boolean;
  /** Found by a relist after a blind interval: it happened some time before, and maybe not alone. */
  gap: boolean;
  before?: unknown;
  after?: unknown;
}

/** `apps/deployments/shop/cart`; the namespace is empty for cluster-scoped objects. */
export const objectKey = (group: string, resource: string, namespace: string, name: string): string =>
  `${group}/${resource}/${namespace}/${name}`;

/** The last seen state of every watched object; turns watch and list lines into changes. */
export class KnownObjects {
  readonly #objects = new Map<string, { object: unknown; head: ObjectHead }>();
  readonly #streamed = new Set<string>();
  readonly #seen: Seen;
  readonly #restored: Seen;

  /** `remembered`: how many delivered versions are remembered to drop repeats. */
  constructor(remembered: number) {
    this.#seen = new Seen(remembered);
    this.#restored = new Seen(remembered);
  }

  /** A process before this one took this change: when it comes again it is state, and no news. */
  restore({ resource, head, change }: Pick<Change, 'resource' | 'head' | 'change'>): void {
    this.#restored.add(versionOf(resource, head, change === 'deleted'));
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Identity and version of the object as last seen. */
  head(key: string): ObjectHead | undefined {
    return this.#objects.get(key)?.head;
  }

  /** Takes one line about the object `head` names. No changes: a repeat, state from a first list. Two: a relist that finds another object of the same name. */
  take(event: WatchEvent, head: ObjectHead): Change[] {
    const stream = `${head.group}/${event.resource}`;
    const key = objectKey(head.group, event.resource, head.namespace, head.name);
    const known = this.#objects.get(key);
    const base = { key, resource: event.resource, head, phantom: false, generationMoved: false };
    const isRelist = event.gap === true || (event.fromList === true && this.#streamed.has(stream));
    if (!event.fromList) {
      this.#streamed.add(stream);
      const version = versionOf(event.resource, head, event.type === 'DELETED');
      if (!this.#seen.add(version)) return [];
      if (this.#restored.has(version)) {
        this.#keep(key, event, head);
        return [];
      }
    }

    this.#keep(key, event, head);
    if (event.type === 'DELETED') {
      if (event.fromList && !known) return [];
      // A list that lacks the object says nothing about its last state.
      const before = known?.object ?? (event.fromList ? undefined : event.object);
      return [{ ...base, change: 'deleted', gap: isRelist, before }];
    }
    if (known?.head.uid === head.uid && known.head.resourceVersion === head.resourceVersion) return [];
    if (event.headOnly) return [];
    if (event.fromList && !known && !isRelist) return [];

    const gap = isRelist || event.fromList === true;
    const after = event.object;
    if (known?.head.uid === head.uid) {
      const generationMoved = known.head.generation !== head.generation;
      const phantom = !gap && isPhantom(known.object, after);
      return [{ ...base, change: 'modified', phantom, generationMoved, gap, before: known.object, after }];
    }
    const change = event.type === 'MODIFIED' ? 'modified' : 'added';
    const appeared: Change = { ...base, change, gap, after };
    if (!known || !gap) return [appeared];
    return [{ ...base, head: known.head, change: 'deleted', gap, before: known.object }, appeared];
  }

  #keep(key: string, { type, object, headOnly }: WatchEvent, head: ObjectHead): void {
    if (type === 'DELETED') this.#objects.delete(key);
    else this.#objects.set(key, { object: headOnly ? undefined : object, head });
  }
}

const versionOf = (resource: string, { group, uid, resourceVersion }: ObjectHead, isDeletion: boolean): string =>
  `${group}/${resource} ${uid} ${resourceVersion} ${isDeletion}`;
