import { type Envelope, factId } from '../../fact.ts';
import { WRITES_COUNTED, type WritesCounted } from '../../writes-counted.ts';
import type { ObjectHead } from '../watch/watch-event.ts';
import type { CountedChange, NamedRecord } from './counted.ts';
import { objectKey } from './known-objects.ts';
import { isWitnessed, tally } from './tally.ts';
import { type Entry, SKEW, Timeline } from './timeline.ts';
import { Writers } from './writers.ts';

/** What the counter asks of the reducer around it. Times in milliseconds. */
export interface CounterContext {
  cluster: string;
  /** Most objects counted at once. */
  keyCap: number;
  /** Seconds, ascending; none when nobody counts this resource. */
  windowsFor(group: string, resource: string): number[];
  /** Whether any audit record was ever seen in this cluster. */
  hasAudit(): boolean;
  /** Whether the watch on `group/resource` missed nothing around this moment. */
  isWatched(stream: string, at: number): boolean;
  lastSeen(key: string): ObjectHead | undefined;
  /** Names of the Writes Counted rules that a fact with this window matches. */
  matching(detail: Envelope['detail'], seconds: number): string[];
  coverage(stream: string, from: number, to: number): { sources: ('watch' | 'audit')[]; gap: boolean; dropped: number };
}

/** A matching rule hears of an object again after this long. */
const REPEAT = 30_000;
/** How long a fact whose writers are not known waits for audit, which comes in batches. */
const HOLD = 3_000;
const ENTRIES_PER_OBJECT = 4_096;
const SWEEP = 30_000;

interface WindowState {
  matched: Set<string>;
  sentAt: Map<string, number>;
  sentId: string;
  heldSince: number | undefined;
}

interface Counted {
  key: string;
  stream: string;
  group: string;
  version: string;
  resource: string;
  namespace: string;
  name: string;
  timeline: Timeline;
  windows: Map<number, WindowState>;
  head: ObjectHead | undefined;
  ownDeleteAt: number;
}

/** Counts writes per object in sliding windows and says when a rule matches. */
export class WriteCounter {
  readonly #context: CounterContext;
  readonly #objects = new Map<string, Counted>();
  readonly #writers = new Writers();
  /** Objects with a held fact or a request that may turn out to be a no-op. */
  readonly #open = new Set<Counted>();
  #sweptAt = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  #restoring = false;

  constructor(context: CounterContext) {
    this.#context = context;
  }

  /** Objects counted now, and records lost because there were too many. */
  get size(): { objects: number; dropped: number } {
    return { objects: this.#objects.size, dropped: this.#dropped };
  }

  /** Counts a named request that is neither a dry run nor ours. */
  request(record: NamedRecord): Envelope[] {
    const counted = this.#counted(record, record.namespace ?? '', record.name, record.at);
    if (!counted) return [];
    const { user, userAgent, pod, fieldManager, at, code, verb } = record;
    const { writer, writerKey } = this.#writers.of({ user, userAgent, ...(pod && { pod }), ...(fieldManager && { fieldManager }) });
    const effect = code >= 400 ? 'error' : 'success';
    const pairing = { paired: undefined, partner: undefined, frozen: false };
    return this.#add(counted, { at, count: 1, source: 'audit', effect, code, verb, writer, writerKey, ...pairing });
  }

  /** Counts a watch event. */
  change(change: CountedChange, at: number): Envelope[] {
    const { head, resource } = change;
    const counted = this.#counted({ ...head, resource }, head.namespace, head.name, at);
    if (!counted) return [];
    counted.head = head;
    const deleted = change.change === 'deleted';
    if (deleted && Math.abs(at - counted.ownDeleteAt) <= SKEW) return [];
    const { generationMoved } = change;
    const effect = change.phantom ? 'phantom' : 'change';
    const pairing = { paired: undefined, partner: undefined, frozen: false };
    return this.#add(counted, {
      at,
      count: 1,
      source: 'watch',
      effect,
      added: change.change === 'added',
      deleted,
      generationMoved,
      ...pairing,
    });
  }

  /** A delete of ours: the deletion the watch shows within 2 s of it is not counted, whichever comes first. */
  ownDelete(record: NamedRecord): void {
    const counted = this.#counted(record, record.namespace ?? '', record.name, record.at);
    if (!counted) return;
    counted.ownDeleteAt = record.at;
    counted.timeline.removeDeletion(record.at);
  }

  /** Lets time pass: sends what was held long enough, finds no-ops, forgets quiet objects. */
  tick(now: number): Envelope[] {
    const facts = [...this.#open].flatMap((counted) => this.#evaluate(counted, Math.max(now, counted.timeline.newest)));
    if (now - this.#sweptAt >= SWEEP) this.#sweep(now);
    return facts;
  }

  /** What follows was counted by a process before this one: it adds up, and says nothing. */
  beginRestore(): void {
    this.#restoring = true;
  }

  /** A process before this one sent this fact. */
  told({ detail, id }: Envelope): void {
    const { object, window } = detail as unknown as WritesCounted;
    const end = Date.parse(window.end);
    const state = this.#counted(object, object.namespace ?? '', object.name, end)?.windows.get(window.seconds);
    if (!state) return;
    state.matched = new Set(this.#context.matching(detail, window.seconds));
    for (const rule of state.matched) state.sentAt.set(rule, end);
    state.sentId = id;
  }

  /** Ends the restoring; what was due and not told when that process died is told now, as of then. */
  endRestore(): Envelope[] {
    this.#restoring = false;
    return [...this.#objects.values()]
      .filter(({ timeline }) => timeline.size > 0)
      .flatMap((counted) => {
        const facts = this.#evaluate(counted, counted.timeline.newest, true);
        this.#open.add(counted);
        return facts;
      });
  }

  #add(counted: Counted, entry: Entry): Envelope[] {
    const added = counted.timeline.add(entry);
    return added && !this.#restoring ? this.#evaluate(counted, counted.timeline.newest) : [];
  }

  #counted(of: { group: string; version: string; resource: string }, namespace: string, name: string, at: number): Counted | undefined {
    const { group, version, resource } = of;
    const key = objectKey(group, resource, namespace, name);
    const known = this.#objects.get(key);
    if (known) return known;
    const windows = this.#context.windowsFor(group, resource);
    if (windows.length === 0) return undefined;
    if (this.#objects.size >= this.#context.keyCap && at - this.#sweptAt >= 1_000) this.#sweep(at);
    if (this.#objects.size >= this.#context.keyCap) {
      this.#dropped++;
      return undefined;
    }
    const state = (): WindowState => ({ matched: new Set(), sentAt: new Map(), sentId: '', heldSince: undefined });
    const counted: Counted = {
      ...{ key, stream: `${group}/${resource}`, group, version, resource, namespace, name },
      timeline: new Timeline((windows.at(-1) as number) * 1_000, ENTRIES_PER_OBJECT),
      windows: new Map(windows.map((seconds) => [seconds, state()])),
      head: this.#context.lastSeen(key),
      ownDeleteAt: Number.NEGATIVE_INFINITY,
    };
    this.#objects.set(key, counted);
    return counted;
  }

  #evaluate(counted: Counted, end: number, atOnce = false): Envelope[] {
    const facts: Envelope[] = [];
    for (const [seconds, state] of counted.windows) facts.push(...this.#evaluateWindow(counted, state, end, seconds, atOnce));
    const isHeld = counted.windows.values().some(({ heldSince }) => heldSince !== undefined);
    if (isHeld || end - counted.timeline.newest < SKEW) this.#open.add(counted);
    else this.#open.delete(counted);
    return facts;
  }

  #evaluateWindow(counted: Counted, state: WindowState, end: number, seconds: number, atOnce: boolean): Envelope[] {
    const { cluster, hasAudit, isWatched, coverage, matching } = this.#context;
    const start = end - seconds * 1_000;
    const counts = tally(counted.timeline, end, seconds, { audit: hasAudit(), watched: (at) => isWatched(counted.stream, at) });
    const observedAt = new Date(end).toISOString();
    const detail = {
      id: '',
      cluster,
      observedAt,
      coverage: coverage(counted.stream, start, end),
      object: this.#reference(counted),
      window: { seconds, start: new Date(start).toISOString(), end: observedAt },
      ...counts,
    };
    const rules = matching(detail, seconds);
    const isDue = rules.some((rule) => !state.matched.has(rule) || end - (state.sentAt.get(rule) ?? Number.NEGATIVE_INFINITY) >= REPEAT);
    if (!atOnce && rules.length > 0 && isDue && hasAudit() && !isWitnessed(counted.timeline.between(start, end))) {
      state.heldSince ??= end;
      if (end - state.heldSince < HOLD) return [];
    }
    state.heldSince = undefined;
    state.matched = new Set(rules);
    if (!isDue) return [];

    const { group, resource, namespace, name } = counted;
    detail.id = factId('writes', cluster, group, resource, namespace, name, seconds, ...rules, Math.floor(end / REPEAT));
    for (const rule of rules) state.sentAt.set(rule, end);
    if (detail.id === state.sentId) return [];
    state.sentId = detail.id;
    return [{ id: detail.id, source: 'kubernetes', 'detail-type': WRITES_COUNTED, time: observedAt, detail }];
  }

  #reference({ key, group, version, resource, namespace, name, head }: Counted) {
    const seen = this.#context.lastSeen(key) ?? head;
    return {
      group,
      version: seen?.version ?? version,
      resource,
      ...(seen?.kind && { kind: seen.kind }),
      ...(namespace && { namespace }),
      name,
      ...(seen && { uid: seen.uid, resourceVersion: seen.resourceVersion }),
      ...(seen?.generation !== undefined && { generation: seen.generation }),
    };
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, counted] of this.#objects) {
      counted.timeline.expire(now);
      if (counted.timeline.size > 0 || this.#open.has(counted)) continue;
      this.#objects.delete(key);
    }
  }
}
