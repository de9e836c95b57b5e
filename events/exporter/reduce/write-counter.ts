import { type Envelope, factId } from '../../fact.ts';
import { WRITES_COUNTED, type WritesCounted } from '../../writes-counted.ts';
import type { CountedChange, NamedRecord } from './counted.ts';
import { type CountedObject, countedObject, referenceOf, type WindowState, windowState } from './counted-object.ts';
import type { CounterContext } from './counter-context.ts';
import { makeRoom } from './entry-budget.ts';
import { objectKey } from './known-objects.ts';
import { ReceiverClock } from './receiver-clock.ts';
import { RejectedRequests } from './rejected-requests.ts';
import { isWitnessed, tally } from './tally.ts';
import { type Entry, SKEW, UNPAIRED } from './timeline.ts';
import { Writers } from './writers.ts';

/** A matching rule hears of an object again after this long. */
const REPEAT = 30_000;
/** How long a fact whose writers are not known waits for audit, which comes in batches. */
const HOLD = 3_000;
const SWEEP = 30_000;

/** Counts writes per object in sliding windows and says when a rule matches. */
export class WriteCounter {
  readonly #context: CounterContext;
  readonly #objects = new Map<string, CountedObject>();
  /** Objects that only rejected requests named: their number is bounded by that table. */
  readonly #unwritten = new Map<string, CountedObject>();
  readonly #rejected = new RejectedRequests();
  readonly #writers = new Writers();
  readonly #clock = new ReceiverClock();
  /** Objects with a held fact, with new rejected requests, or with a request that may turn out to be a no-op. */
  readonly #open = new Set<CountedObject>();
  #sweptAt = Number.NEGATIVE_INFINITY;
  #entries = 0;
  #dropped = 0;
  #forgotten = 0;
  #restoring = false;

  constructor(context: CounterContext) {
    this.#context = context;
  }

  /**
   * Written objects and their entries counted now. Lost: `dropped` writes because there were too many objects, `forgotten` ones because there
   * were too many entries, `rejectedDropped` rejected requests.
   */
  get size(): { objects: number; entries: number; dropped: number; forgotten: number; rejectedDropped: number } {
    const [objects, entries, dropped, forgotten] = [this.#objects.size, this.#entries, this.#dropped, this.#forgotten];
    return { objects, entries, dropped, forgotten, rejectedDropped: this.#rejected.dropped };
  }

  /** Whether this object was written or seen by the watch. */
  isKnown({ group, resource, namespace = '', name }: NamedRecord): boolean {
    const key = objectKey(group, resource, namespace, name);
    return this.#objects.has(key) || this.#context.lastSeen(key) !== undefined;
  }

  /** Counts a named request that was stored or may have been, is no dry run, and is not ours. */
  request(record: NamedRecord): Envelope[] {
    const counted = this.#written(record, record.namespace ?? '', record.name, record.at);
    if (!counted) return [];
    const { at, code, verb, skewed = false } = record;
    const { writer, writerKey } = this.#writers.of(record);
    const effect = code >= 300 ? 'error' : 'success';
    return this.#add(counted, { at, count: 1, source: 'audit', effect, code, verb, writer, writerKey, skewed, ...UNPAIRED });
  }

  /** Counts a request of an authenticated user that was rejected. The next `tick` evaluates it: nobody can make us evaluate more often. */
  reject(record: NamedRecord): void {
    const { group, resource, namespace = '', name } = record;
    const seconds = this.#context.windowsFor(group, resource);
    const key = objectKey(group, resource, namespace, name);
    if (seconds.length === 0 || !this.#rejected.add(key, record, (seconds.at(-1) as number) * 1_000)) return;
    const head = this.#context.lastSeen(key);
    const counted = this.#objects.get(key) ?? this.#unwritten.get(key) ?? countedObject(record, { key, namespace, name, head }, seconds);
    if (!this.#objects.has(key)) this.#unwritten.set(key, counted);
    this.#open.add(counted);
  }

  /** Counts a watch event. */
  change(change: CountedChange, at: number): Envelope[] {
    const { head, resource, generationMoved } = change;
    const counted = this.#written({ ...head, resource }, head.namespace, head.name, at);
    if (!counted) return [];
    counted.head = head;
    const [added, deleted] = [change.change === 'added', change.change === 'deleted'];
    if (deleted && Math.abs(at - counted.ownDeleteAt) <= SKEW) return [];
    const effect = change.phantom ? 'phantom' : 'change';
    return this.#add(counted, { at, count: 1, source: 'watch', effect, added, deleted, generationMoved, ...UNPAIRED });
  }

  /** A delete of ours: the deletion the watch shows within 2 s of it is not counted, whichever comes first. */
  ownDelete(record: NamedRecord): void {
    const counted = this.#written(record, record.namespace ?? '', record.name, record.at);
    if (!counted) return;
    counted.ownDeleteAt = record.at;
    this.#resize(counted, () => counted.timeline.removeDeletion(record.at));
  }

  /** Lets time pass: sends what was held long enough, finds no-ops and error loops, forgets quiet objects. */
  tick(now: number): Envelope[] {
    const facts = [...this.#open].flatMap((counted) => this.#evaluate(counted, Math.max(now, counted.timeline.newest)));
    if (now - this.#sweptAt >= SWEEP) this.#sweep(now);
    return facts;
  }

  /**
   * The receiver's clock says `now`; true when it was set back. Entries of the wrong time are forgotten: while they are the newest, windows end at them,
   * and writes at the right time look too old to count.
   */
  wasSetBack(now: number): boolean {
    if (!this.#clock.wasSetBack(now)) return false;
    this.#forgotten += this.#rejected.forgetAfter(now + SKEW);
    this.#sweptAt = Number.NEGATIVE_INFINITY;
    for (const counted of this.#objects.values()) {
      this.#forgotten += this.#resize(counted, () => counted.timeline.forgetAfter(now + SKEW));
      for (const seconds of counted.windows.keys()) counted.windows.set(seconds, windowState());
      this.#open.add(counted);
    }
    return true;
  }

  /** What follows was counted by a process before this one: it adds up, and says nothing. */
  beginRestore(): void {
    this.#restoring = true;
  }

  /** A process before this one sent this fact. */
  told({ detail, id }: Envelope, now: number): void {
    const { object, window } = detail as unknown as WritesCounted;
    const end = Math.min(Date.parse(window.end), now);
    const state = this.#written(object, object.namespace ?? '', object.name, end)?.windows.get(window.seconds);
    if (!state) return;
    state.matched = new Set(this.#context.matching(detail, window.seconds));
    state.sentAt = new Map([...state.sentAt, ...[...state.matched].map((rule) => [rule, end] as const)]);
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

  #add(counted: CountedObject, entry: Entry): Envelope[] {
    this.#clock.dated(entry.at);
    const added = this.#resize(counted, () => counted.timeline.add(entry));
    if (this.#entries > this.#context.entryCap) this.#shrink(counted);
    return added && !this.#restoring ? this.#evaluate(counted, counted.timeline.newest) : [];
  }

  /** Does something to the timeline, and keeps the sums right. */
  #resize<T>({ timeline }: CountedObject, act: () => T): T {
    const [size, forgotten] = [timeline.size, timeline.forgotten];
    const result = act();
    this.#entries += timeline.size - size;
    this.#forgotten += timeline.forgotten - forgotten;
    return result;
  }

  #shrink(current: CountedObject): void {
    const { kept, forgotten } = makeRoom(this.#objects.values(), this.#context.entryCap / 2, current);
    for (const counted of this.#objects.values()) if (!kept.has(counted)) this.#forget(counted);
    this.#entries = [...kept].reduce((sum, { timeline }) => sum + timeline.size, 0);
    this.#forgotten += forgotten;
  }

  #forget(counted: CountedObject): void {
    this.#objects.delete(counted.key);
    this.#open.delete(counted);
  }

  /** The object that a write is about; undefined when nobody counts it, or there are too many. */
  #written(of: Parameters<typeof countedObject>[0], namespace: string, name: string, at: number): CountedObject | undefined {
    const { group, resource } = of;
    const key = objectKey(group, resource, namespace, name);
    const known = this.#objects.get(key);
    if (known) return known;
    const { keyCap, windowsFor, lastSeen } = this.#context;
    const seconds = windowsFor(group, resource);
    if (seconds.length === 0) return undefined;
    if (this.#objects.size >= keyCap && at - this.#sweptAt >= 1_000) this.#sweep(at);
    if (this.#objects.size >= keyCap) {
      this.#dropped++;
      return undefined;
    }
    const counted = this.#unwritten.get(key) ?? countedObject(of, { key, namespace, name, head: lastSeen(key) }, seconds);
    this.#unwritten.delete(key);
    this.#objects.set(key, counted);
    return counted;
  }

  #evaluate(counted: CountedObject, end: number, atOnce = false): Envelope[] {
    const facts: Envelope[] = [];
    for (const [seconds, state] of counted.windows) facts.push(...this.#evaluateWindow(counted, state, end, seconds, atOnce));
    const isHeld = counted.windows.values().some(({ heldSince }) => heldSince !== undefined);
    if (isHeld || end - counted.timeline.newest < SKEW) this.#open.add(counted);
    else this.#open.delete(counted);
    return facts;
  }

  #evaluateWindow(counted: CountedObject, state: WindowState, end: number, seconds: number, atOnce: boolean): Envelope[] {
    const { cluster, hasAudit, isWatched, coverage, matching, lastSeen } = this.#context;
    const { key, stream, group, resource, namespace, name, timeline } = counted;
    const start = end - seconds * 1_000;
    const rejected = this.#rejected.between(key, start, end);
    const sources = { audit: hasAudit(), watched: (at: number) => isWatched(stream, at) };
    const { skewed, ...counts } = tally(timeline, end, seconds, sources, rejected.requests);
    const observedAt = new Date(end).toISOString();
    const seen = coverage(stream, start, end);
    const detail = {
      id: '',
      cluster,
      observedAt,
      coverage: { ...seen, dropped: seen.dropped + rejected.dropped, ...(skewed > 0 && { skewed }) },
      object: referenceOf(counted, lastSeen(key)),
      window: { seconds, start: new Date(start).toISOString(), end: observedAt },
      ...counts,
    };
    const rules = matching(detail, seconds);
    const isDue = rules.some((rule) => !state.matched.has(rule) || end - (state.sentAt.get(rule) ?? Number.NEGATIVE_INFINITY) >= REPEAT);
    if (!atOnce && rules.length > 0 && isDue && hasAudit() && !isWitnessed(timeline.between(start, end))) {
      state.heldSince ??= end;
      if (end - state.heldSince < HOLD) return [];
    }
    state.heldSince = undefined;
    state.matched = new Set(rules);
    if (!isDue) return [];

    detail.id = factId('writes', cluster, group, resource, namespace, name, seconds, ...rules, Math.floor(end / REPEAT));
    state.sentAt = new Map([...state.sentAt, ...rules.map((rule) => [rule, end] as const)]);
    if (detail.id === state.sentId) return [];
    state.sentId = detail.id;
    return [{ id: detail.id, source: 'kubernetes', 'detail-type': WRITES_COUNTED, time: observedAt, detail }];
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    this.#rejected.expire(now);
    for (const key of this.#unwritten.keys()) if (!this.#rejected.has(key)) this.#unwritten.delete(key);
    for (const counted of this.#objects.values()) {
      this.#resize(counted, () => counted.timeline.expire(now));
      if (counted.timeline.size === 0 && !this.#open.has(counted) && !this.#rejected.has(counted.key)) this.#forget(counted);
    }
  }
}
