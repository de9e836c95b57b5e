const KEPT = 256;

/** The intervals in which a source was blind, per resource; the newest 256 of each. Times in milliseconds. */
export class Gaps {
  readonly #intervals = new Map<string, { from: number; to: number }[]>();

  mark(key: string, from: number, to: number): void {
    const intervals = this.#intervals.get(key) ?? [];
    intervals.push({ from, to });
    this.#intervals.set(key, intervals.slice(-KEPT));
  }

  /** Whether any blind moment lies within [from, to]. */
  overlaps(key: string, from: number, to: number): boolean {
    return this.#intervals.get(key)?.some((gap) => gap.from <= to && gap.to >= from) ?? false;
  }
}
