import type { NamedRecord } from './counted.ts';
import { type RequestEntry, Timeline } from './timeline.ts';

/** Bounds of the table: each user has its own share, so no user can take the place of another. At most 131,072 entries in all. */
const MAX_USERS = 128;
const MAX_OBJECTS_PER_USER = 32;
const MAX_ENTRIES_PER_OBJECT = 32;

interface User {
  /** Requests that its share had no room for. */
  dropped: number;
  objects: Map<string, Timeline>;
}

/**
 * Requests of authenticated users that the API server rejected, per user and object: they show error loops, and never count as writes. In memory
 * only: on disk, whoever may send requests could fill the spool with them.
 */
export class RejectedRequests {
  readonly #users = new Map<string, User>();
  readonly #byObject = new Map<string, Map<string, Timeline>>();
  #dropped = 0;

  /** Requests that were not counted because a share or the table was full. */
  get dropped(): number {
    return this.#dropped;
  }

  has(key: string): boolean {
    return this.#byObject.has(key);
  }

  /** Counts a request on the object `key` for `keep` milliseconds; false when there is no room for it. */
  add(key: string, { user, userAgent, at, code, verb, skewed = false }: NamedRecord, keep: number): boolean {
    const share = this.#users.get(user) ?? this.#newUser(user);
    const timeline = share && (share.objects.get(key) ?? this.#newObject(key, user, share, keep));
    if (!timeline) {
      this.#drop(share, 1);
      return false;
    }
    const before = timeline.forgotten;
    timeline.add({ at, count: 1, source: 'audit', effect: 'error', code, verb, writer: { user, userAgent }, writerKey: user, skewed });
    this.#drop(share, timeline.forgotten - before);
    return true;
  }

  /** Requests on this object with from < at ≤ to, and how many of their users' requests were not counted. */
  between(key: string, from: number, to: number): { requests: RequestEntry[]; dropped: number } {
    let dropped = 0;
    const requests = [...(this.#byObject.get(key) ?? [])].flatMap(([user, timeline]) => {
      const entries = timeline.between(from, to).filter((entry) => entry.source === 'audit');
      if (entries.length > 0) dropped += this.#users.get(user)?.dropped ?? 0;
      return entries;
    });
    return { requests, dropped };
  }

  /** Forgets what no window that ends at `now` or later can hold. */
  expire(now: number): void {
    for (const [user, { objects }] of this.#users) {
      for (const [key, timeline] of objects) {
        timeline.expire(now);
        if (timeline.size > 0) continue;
        objects.delete(key);
        const users = this.#byObject.get(key);
        users?.delete(user);
        if (users?.size === 0) this.#byObject.delete(key);
      }
      if (objects.size === 0) this.#users.delete(user);
    }
  }

  /** Forgets what a clock that ran ahead dated later than `at`. Returns how many requests that were. */
  forgetAfter(at: number): number {
    const timelines = [...this.#users.values()].flatMap(({ objects }) => [...objects.values()]);
    return timelines.reduce((sum, timeline) => sum + timeline.forgetAfter(at), 0);
  }

  #drop(share: User | undefined, count: number): void {
    this.#dropped += count;
    if (share) share.dropped += count;
  }

  #newUser(user: string): User | undefined {
    if (this.#users.size >= MAX_USERS) return undefined;
    const share = { dropped: 0, objects: new Map<string, Timeline>() };
    this.#users.set(user, share);
    return share;
  }

  #newObject(key: string, user: string, { objects }: User, keep: number): Timeline | undefined {
    if (objects.size >= MAX_OBJECTS_PER_USER) return undefined;
    const timeline = new Timeline(keep, MAX_ENTRIES_PER_OBJECT);
    objects.set(key, timeline);
    this.#byObject.set(key, (this.#byObject.get(key) ?? new Map()).set(user, timeline));
    return timeline;
  }
}
