/** Who sent a request. */
export interface Writer {
  user: string;
  userAgent: string;
  pod?: string;
  podUid?: string;
  impersonator?: string;
  fieldManager?: string;
}

/** What happened to one object at one moment, from one source. `count` is above 1 only where old entries were merged. */
export type Entry = {
  at: number;
  count: number;
  /** What the partner of the other source is; absent while there is none. */
  paired?: 'change' | 'phantom' | 'request' | undefined;
  partner?: Entry | undefined;
  /** Keeps its partner, or its lack of one. */
  frozen?: boolean;
} & (
  | { source: 'audit'; effect: 'success' | 'error'; code: number; verb: string; writer: Writer; writerKey: string; skewed: boolean }
  | { source: 'watch'; effect: 'change' | 'phantom'; added: boolean; deleted: boolean; generationMoved: boolean }
);

/** A new entry has no partner. */
export const UNPAIRED = { paired: undefined, partner: undefined, frozen: false };

export type RequestEntry = Extract<Entry, { source: 'audit' }>;

/** How far a request (API server's clock) and its watch event (ours) may lie apart and still be one write. Milliseconds. */
export const SKEW = 2_000;
/** Entries are paired anew until they are this much older than the newest: longer than the audit webhook's default batch of 30 s. */
const SETTLED = 60_000;
const MAX_WRITERS = 64;
/** Stands for the writers beyond that number. */
const OTHERS = '(others)';

/**
 * The entries of one object in order of time. Requests are paired with watch events: a request without one stored nothing.
 * Above `cap` entries, old ones are merged per second (then 2, 4 … seconds): counts stay exact, only the window's far edge gets coarser.
 * When that is not enough, the oldest entries are forgotten.
 */
export class Timeline {
  readonly #keep: number;
  readonly #cap: number;
  /** How many of the entries each named writer has; absent until there is a request. */
  #writers: Map<string, number> | undefined;
  #entries: Entry[] = [];
  /** Writes and requests forgotten to keep within the cap. */
  forgotten = 0;
  /** Everything older is frozen. */
  #open = Number.NEGATIVE_INFINITY;
  #changed = false;

  /** `keep`: milliseconds of history. */
  constructor(keep: number, cap: number) {
    this.#keep = keep + SKEW;
    this.#cap = cap;
  }

  get newest(): number {
    return this.#entries.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Writes and requests that the entries stand for. */
  get count(): number {
    return this.#entries.reduce((sum, { count }) => sum + count, 0);
  }

  /** Adds an entry wherever its time belongs; false when it is older than everything kept. */
  add(entry: Entry): boolean {
    if (entry.at <= this.newest - this.#keep) return false;
    this.#entries.splice(this.#after(entry.at), 0, this.#known(entry));
    this.#open = Math.min(this.#open, entry.at);
    this.#changed = true;
    this.expire(this.newest);
    if (this.#entries.length > this.#cap) this.limit(this.#cap / 2);
    return true;
  }

  /** Forgets what no window that ends at `now` or later can hold. */
  expire(now: number): void {
    const gone = this.#after(now - this.#keep);
    if (gone === 0) return;
    this.#pair();
    this.#remove(0, gone);
  }

  /** Forgets the entries later than `at`: a clock that ran ahead dated them. Returns the writes and requests that they stood for. */
  forgetAfter(at: number): number {
    const first = this.#after(at);
    if (first === this.#entries.length) return 0;
    this.#pair();
    const count = this.#remove(first, this.#entries.length - first);
    this.#open = Math.min(this.#open, this.newest - SETTLED);
    return count;
  }

  /** Merges old entries, then forgets the oldest, until at most `most` are left. */
  limit(most: number): void {
    this.#pair();
    for (let width = 1_000, until = this.newest - 2 * SKEW; this.#entries.length > most && width <= this.#keep / 8; width *= 2) {
      this.#entries = mergeUntil(this.#entries, until, width);
      until = this.newest;
    }
    const surplus = Math.max(0, this.#entries.length - Math.floor(most));
    this.forgotten += this.#remove(0, surplus);
    this.#countWriters();
  }

  /** Takes back the newest deletion seen within SKEW of `at`: it turned out to be our own. */
  removeDeletion(at: number): void {
    const index = this.#entries.findLastIndex((one) => one.source === 'watch' && one.deleted && Math.abs(one.at - at) <= SKEW);
    if (index < 0) return;
    this.#entries.splice(index, 1);
    this.#changed = true;
  }

  /** The entries with from < at ≤ to, paired, in order of time. */
  between(from: number, to: number): Entry[] {
    this.#pair();
    return this.#entries.slice(this.#after(from), this.#after(to));
  }

  /** The index of the first entry later than `at`. */
  #after(at: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as Entry).at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Pairs from the left, each with the earliest partner within SKEW: the largest matching, whatever order the entries came in. */
  #pair(): void {
    if (!this.#changed) return;
    const open = this.#entries.slice(this.#after(this.#open - 1)).filter((entry) => !entry.frozen);
    for (const entry of open) {
      // Not `delete`: that would turn each entry into a hash table of its own.
      entry.paired = undefined;
      entry.partner = undefined;
    }
    const events = open.filter((entry) => entry.source === 'watch');
    let next = 0;
    for (const request of open) {
      if (request.source !== 'audit' || request.effect !== 'success') continue;
      while (next < events.length && (events[next] as Entry).at < request.at - SKEW) next++;
      const event = events[next];
      if (event === undefined || event.at > request.at + SKEW) continue;
      request.paired = event.effect as 'change' | 'phantom';
      request.partner = event;
      event.paired = 'request';
      event.partner = request;
      next++;
    }
    this.#open = this.newest - SETTLED;
    for (const entry of open) if (entry.at < this.#open) freeze(entry);
    this.#changed = false;
  }

  /** Removes entries, and gives the writes and requests that they stood for. */
  #remove(first: number, length: number): number {
    let count = 0;
    for (const entry of this.#entries.splice(first, length)) {
      freeze(entry);
      count += entry.count;
      if (entry.source === 'audit') this.#release(entry.writerKey);
    }
    return count;
  }

  /** Beyond 64 different writers of the entries held the rest is one: whoever varies a user agent must not fill our memory. */
  #known(entry: Entry): Entry {
    if (entry.source === 'watch') return entry;
    this.#writers ??= new Map();
    const held = this.#writers.get(entry.writerKey) ?? 0;
    if (held === 0 && this.#writers.size >= MAX_WRITERS) return { ...entry, writer: { user: OTHERS, userAgent: '' }, writerKey: OTHERS };
    this.#writers.set(entry.writerKey, held + 1);
    return entry;
  }

  /** An entry of this writer is gone; with its last one the writer gives its place to another. */
  #release(writerKey: string): void {
    const held = this.#writers?.get(writerKey) ?? 0;
    if (held > 1) this.#writers?.set(writerKey, held - 1);
    else this.#writers?.delete(writerKey);
  }

  /** Merging leaves fewer entries of a writer, and at least one. */
  #countWriters(): void {
    this.#writers?.clear();
    for (const entry of this.#entries) {
      if (entry.source === 'audit' && entry.writerKey !== OTHERS)
        this.#writers?.set(entry.writerKey, (this.#writers.get(entry.writerKey) ?? 0) + 1);
    }
  }
}

/** An entry that keeps its partner binds it too: otherwise the partner would look for another one. */
function freeze(entry: Entry): void {
  entry.frozen = true;
  if (entry.partner) {
    entry.partner.frozen = true;
    entry.partner.partner = undefined;
  }
  entry.partner = undefined;
}

function mergeUntil(entries: Entry[], until: number, width: number): Entry[] {
  const merged = new Map<string, Entry>();
  const rest: Entry[] = [];
  for (const entry of entries) {
    if (entry.at > until) {
      rest.push(entry);
      continue;
    }
    freeze(entry);
    const own =
      entry.source === 'audit'
        ? [entry.code, entry.verb, entry.skewed, entry.writerKey]
        : [entry.added, entry.deleted, entry.generationMoved];
    const key = [Math.floor(entry.at / width), entry.source, entry.effect, entry.paired, ...own].join(' ');
    const same = merged.get(key);
    if (same === undefined) merged.set(key, entry);
    else Object.assign(same, { at: Math.max(same.at, entry.at), count: same.count + entry.count });
  }
  return [...merged.values(), ...rest].sort((a, b) => a.at - b.at);
}
