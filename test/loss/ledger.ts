import * as z from 'zod';
import { OBJECT_CHANGED, objectChanged } from '../../events/object-changed.ts';
import { writesCounted } from '../../events/writes-counted.ts';
import { type CountedFact, type CountedWrites, weighCounts } from './counted-writes.ts';
import type { NumberedChange } from './numbered-writer.ts';
import type { PutEntry } from './stub-put-events.ts';

/** What became of the numbers of one scenario. */
export interface Tally {
  /** Numbered versions and counted writes that the API server confirmed. */
  expected: number;
  arrived: number;
  lost: number;
  /** Of the lost: a fact says that there is a hole. */
  inGap: number;
  /** Must be 0: nobody could know. */
  lostOutsideGap: number;
  /** Which ones: the first of them, with what came before and after. */
  untold: string[];
  /** Facts that came more than once. */
  duplicates: number;
  /** Must be 0: facts about the same version or window with different ids. */
  unequalIds: number;
  /** Must be 0: facts that are not true. The first ones, as sentences. */
  untrue: string[];
  /** Facts about an object that came after a newer one about it. */
  disordered: number;
  /** From the confirmed write to the arrival of its fact. */
  worstLagSeconds: number;
}

interface Arrival {
  n: number;
  key: string;
  gap: boolean;
  at: number;
}

const versioned = objectChanged.extend({ current: z.object({ data: z.object({ n: z.string() }) }).optional() });

/** Keeps what arrived on the bus, and weighs it against what was written. Times in milliseconds. */
export class Ledger {
  readonly #ids = new Map<string, string>();
  readonly #told = new Map<string, string>();
  readonly #facts: { detail: z.infer<typeof versioned>; at: number }[] = [];
  readonly #counted: CountedFact[] = [];
  readonly #untrue: string[] = [];
  #duplicates = 0;
  #unequal = 0;
  newest = 0;

  /** Takes one entry that the bus took. */
  take({ DetailType, Detail }: PutEntry, at: number): void {
    this.newest = at;
    const parsed = (DetailType === OBJECT_CHANGED ? versioned : writesCounted).safeParse(JSON.parse(Detail));
    if (!parsed.success) {
      this.#untrue.push(`It breaks its contract: ${parsed.error.message} ${Detail}`);
      return;
    }
    const detail = parsed.data;
    const { uid, resourceVersion, name } = detail.object;
    const isChange = 'change' in detail;
    const same = isChange ? `${uid} ${resourceVersion} ${detail.change === 'deleted'}` : `${name} ${detail.writes}`;
    const id = this.#ids.get(same);
    // The same count can be reached again at another moment, when requests are repeated in another order: that is another window.
    const window = isChange ? same : `${same} ${detail.window.end}`;
    const told = this.#told.get(window);
    this.#ids.set(same, detail.id);
    this.#told.set(window, detail.id);
    if (id === detail.id) this.#duplicates++;
    else if (told !== undefined && told !== detail.id) this.#unequal++;
    if (id !== undefined) return;
    if (isChange) this.#facts.push({ detail, at });
    else this.#counted.push({ name, writes: detail.writes, end: Date.parse(detail.window.end), gap: detail.coverage.gap });
  }

  /** Compares with everything that was written so far. */
  weigh(changes: NumberedChange[], counted: CountedWrites): Tally {
    const untrue = [...this.#untrue];
    const arrivals = this.#arrivals(changes, untrue);
    const first = new Map(arrivals.map((arrival) => [arrival.n, arrival]));
    const byNumber = [...first.values()].sort((a, b) => a.n - b.n);
    const missing = changes.filter(({ n }) => !first.has(n));
    const outside = missing.filter((change) => !isInGap(change, byNumber, changes));
    const counts = weighCounts(this.#counted, counted);
    const lags = changes.map(({ n, at }) => (first.get(n)?.at ?? at) - at);
    const lost = missing.length + counts.lost;
    const lostInGap = missing.length - outside.length + counts.inGap;
    return {
      expected: changes.length + counts.expected,
      arrived: changes.length + counts.expected - lost,
      ...{ lost, inGap: lostInGap, lostOutsideGap: lost - lostInGap },
      untold: outside.slice(0, 5).map((change) => describe(change, byNumber, changes)),
      ...{
        duplicates: this.#duplicates,
        unequalIds: this.#unequal,
        untrue: [...untrue, ...counts.untrue],
        disordered: disordered(arrivals),
      },
      worstLagSeconds: Math.round(Math.max(0, ...lags) / 10) / 100,
    };
  }

  #arrivals(changes: NumberedChange[], untrue: string[]): Arrival[] {
    const written = new Map(changes.map((change) => [change.n, change]));
    const deletions = new Map(changes.flatMap(({ what, uid, n }) => (what === 'deleted' ? [[uid, n]] : [])));
    return this.#facts.flatMap(({ detail, at }) => {
      const { object, change, current, coverage } = detail;
      const n = change === 'deleted' ? deletions.get(object.uid) : Number(current?.data.n);
      if (n === undefined || written.get(n)?.name !== object.name) {
        untrue.push(`${change} of ${object.name} with number ${n} was never written`);
        return [];
      }
      return [{ n, key: object.name, gap: coverage.gap, at }];
    });
  }
}

/** A lost version is told when the next fact about its object says that it follows a gap; one of an object that came and went in the gap, by a neighbour. */
function isInGap({ n, name }: NumberedChange, arrivals: Arrival[], changes: NumberedChange[]): boolean {
  const next = arrivals.find((one) => one.n > n && one.key === name);
  if (next) return next.gap;
  const whole = changes.filter((one) => one.name === name);
  if (whole.at(-1)?.what !== 'deleted' || arrivals.some(({ key }) => key === name)) return false;
  return [arrivals.find((one) => one.n > n), arrivals.findLast((one) => one.n < n)].some((one) => one?.gap);
}

function describe({ n, name, what }: NumberedChange, arrivals: Arrival[], changes: NumberedChange[]): string {
  const own = changes
    .filter((one) => one.name === name)
    .map((one) => {
      const arrival = arrivals.find((arrived) => arrived.n === one.n);
      return `${one.what} ${one.n}${arrival ? (arrival.gap ? ' gap' : '') : ' LOST'}`;
    });
  const at = own.findIndex((text) => text.startsWith(`${what} ${n}`));
  const beside = arrivals.filter((one) => Math.abs(one.n - n) < 5).map((one) => `${one.n}${one.gap ? ' gap' : ''}`);
  return `${what} ${n} of ${name}; of it: ${own.slice(Math.max(0, at - 3), at + 4).join(', ')}; of all: ${beside.join(', ')}`;
}

function disordered(arrivals: Arrival[]): number {
  const newest = new Map<string, number>();
  return arrivals.filter(({ n, key }) => {
    const before = newest.get(key) ?? 0;
    newest.set(key, Math.max(n, before));
    return n < before;
  }).length;
}
