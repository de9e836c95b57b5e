/** Remembers the newest `limit` strings: enough to drop what a source delivers twice, without growing. */
export class Seen {
  readonly #limit: number;
  readonly #strings = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(string: string): boolean {
    return this.#strings.has(string);
  }

  /** True the first time, false on a repeat. */
  add(string: string): boolean {
    if (this.#strings.has(string)) return false;
    this.#strings.add(string);
    if (this.#strings.size > this.#limit) this.#strings.delete(this.#strings.values().next().value as string);
    return true;
  }
}
