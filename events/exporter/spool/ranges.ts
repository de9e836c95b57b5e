/** A set of whole numbers that is small because they come nearly in order: sorted, disjoint intervals. */
export class Ranges {
  #ranges: { from: number; to: number }[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** Adds `from` … `to`, both included. */
  add(from: number, to = from): void {
    const first = this.#firstEndingAt(from - 1);
    let last = first;
    while (last < this.#ranges.length && (this.#ranges[last] as { from: number }).from <= to + 1) last++;
    const joined = this.#ranges.slice(first, last);
    const merged = { from: Math.min(from, joined[0]?.from ?? from), to: Math.max(to, joined.at(-1)?.to ?? to) };
    this.#ranges.splice(first, joined.length, merged);
  }

  has(number: number): boolean {
    const range = this.#ranges[this.#firstEndingAt(number)];
    return range !== undefined && range.from <= number;
  }

  /** Forgets every interval that lies wholly below. */
  forgetBelow(number: number): void {
    this.#ranges.splice(0, this.#firstEndingAt(number));
  }

  /** The intervals as pairs, both ends included. */
  pairs(): [number, number][] {
    return this.#ranges.map(({ from, to }) => [from, to]);
  }

  /** The index of the first interval whose end is not below `number`. */
  #firstEndingAt(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle] as { to: number }).to < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
