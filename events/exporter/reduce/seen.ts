import { hash } from 'node:crypto';

/** Of a key: 128 bits, so that two strings are never taken for one. */
const WORDS = 4;

/**
 * Remembers at least the newest `limit` strings, at most twice as many: enough to drop what a source delivers twice, without growing. Keeps 32 bytes
 * for each, outside the heap: the strings themselves would take ten times as much.
 */
export class Seen {
  readonly #limit: number;
  readonly #key = new Uint32Array(WORDS);
  #newer: Table | undefined;
  #older: Table | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(string: string): boolean {
    const key = this.#keyOf(string);
    return this.#newer?.has(key) === true || this.#older?.has(key) === true;
  }

  /** True the first time, false on a repeat. */
  add(string: string): boolean {
    if (this.has(string)) return false;
    this.#newer ??= new Table(this.#limit);
    if (this.#newer.size === this.#limit) {
      const emptied = this.#older ?? new Table(this.#limit);
      emptied.clear();
      this.#older = this.#newer;
      this.#newer = emptied;
    }
    this.#newer.add(this.#key);
    return true;
  }

  #keyOf(string: string): Uint32Array {
    const digest = hash('sha1', string, 'hex');
    for (let i = 0; i < WORDS; i += 1) this.#key[i] = Number.parseInt(digest.slice(8 * i, 8 * i + 8), 16);
    // Nothing but zeros marks a free place.
    this.#key[0] = (this.#key[0] as number) | 1;
    return this.#key;
  }
}

/** A set of keys, half full at most: a key stands at the first free place from where its last word points. */
class Table {
  readonly #words: Uint32Array;
  readonly #mask: number;
  size = 0;

  constructor(limit: number) {
    const places = 2 ** Math.ceil(Math.log2(2 * limit));
    this.#words = new Uint32Array(places * WORDS);
    this.#mask = places - 1;
  }

  has(key: Uint32Array): boolean {
    return this.#words[this.#placeOf(key)] !== 0;
  }

  add(key: Uint32Array): void {
    this.#words.set(key, this.#placeOf(key));
    this.size += 1;
  }

  clear(): void {
    this.#words.fill(0);
    this.size = 0;
  }

  #placeOf(key: Uint32Array): number {
    for (let place = (key[WORDS - 1] as number) & this.#mask; ; place = (place + 1) & this.#mask) {
      const at = place * WORDS;
      if (this.#words[at] === 0 || key.every((word, i) => this.#words[at + i] === word)) return at;
    }
  }
}
