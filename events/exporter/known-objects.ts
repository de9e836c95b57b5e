import type { ObjectChanged } from '../object-changed.ts';
import { isPhantom } from './phantom.ts';
import { Seen } from './seen.ts';
import type { ObjectHead, WatchEvent } from './watch-event.ts';

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

  /** `remembered`: how many delivered versions are remembered to drop repeats. */
  constructor(remembered: number) {
    this.#seen = new Seen(remembered);
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
      const version = `${stream} ${head.uid} ${head.resourceVersion} ${event.type === 'DELETED'}`;
      if (!this.#seen.add(version)) return [];
    }

    if (event.type === 'DELETED') {
      this.#objects.delete(key);
      if (event.fromList && !known) return [];
      return [{ ...base, change: 'deleted', gap: isRelist, before: known?.object ?? event.object }];
    }
    if (known?.head.uid === head.uid && known.head.resourceVersion === head.resourceVersion) return [];
    this.#objects.set(key, { object: event.object, head });
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
}
