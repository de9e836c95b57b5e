import { type Spool, type SpoolEntry, SpoolFullError } from './spool.ts';

/** One spool append for so many entries at most: a part of a flood may fit where all of it does not. */
const SLICE = 1_024;

/**
 * Stands between the reducer, which cannot take back what it counted, and the spool, which may refuse. What was refused stays here and goes first
 * the next time; meanwhile `isBlocked` asks everybody to bring nothing new, so that this stays small.
 */
export class Journal {
  readonly #spool: Spool;
  readonly #onKept: () => void;
  #held: SpoolEntry[] = [];
  #waiting: { resolve(): void; reject(error: unknown): void }[] = [];
  #failure: unknown;
  #flushing = false;

  /** `onKept`: something new is in the spool. */
  constructor(spool: Spool, onKept: () => void) {
    this.#spool = spool;
    this.#onKept = onKept;
  }

  /** Resolves when these and all entries before them are durable. Rejects with what the spool says; the entries stay, and follow as soon as possible. */
  write(entries: SpoolEntry[]): Promise<void> {
    for (const entry of entries) this.#held.push(entry);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      void this.#flush();
    });
  }

  /** Resolves when everything so far is durable. */
  durable(): Promise<void> {
    return this.write([]);
  }

  /** Entries that are not durable yet. */
  get held(): number {
    return this.#held.length;
  }

  /** Bring nothing new: it could not be kept. */
  get isBlocked(): boolean {
    return this.#failure !== undefined || this.#spool.isFull();
  }

  /** Why nothing new is taken. */
  refusal(): unknown {
    const { bytes, cap } = this.#spool.stats();
    return this.#failure ?? new SpoolFullError(bytes, cap);
  }

  /** Tries again what was refused. */
  async retry(): Promise<void> {
    if (this.#held.length > 0) await this.durable().catch(() => {});
  }

  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting.splice(0);
      try {
        await this.#append(this.#held.length);
        this.#failure = undefined;
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        this.#failure = error;
        for (const { reject } of waiting) reject(error);
      }
    }
    this.#flushing = false;
  }

  async #append(count: number): Promise<void> {
    for (let done = 0; done < count; ) {
      const slice = this.#held.slice(0, Math.min(SLICE, count - done));
      await this.#spool.append(slice);
      this.#held.splice(0, slice.length);
      done += slice.length;
      if (slice.some(({ kind }) => kind === 'fact')) this.#onKept();
    }
  }
}
