import type { Envelope } from '../../fact.ts';
import { type PendingFact, READ_AHEAD, type Spool, type SpoolEntry, SpoolFullError } from './spool.ts';

/** A spool that ends with the process: for replays, tests, and who has no disk. Counted records are not kept: nobody will rebuild from them. */
export class MemorySpool implements Spool {
  readonly #cap: number;
  readonly #pending = new Map<number, { fact: Envelope; bytes: number }>();
  #sequence = 0;
  #bytes = 0;

  constructor({ cap = 64 * 2 ** 20 }: { cap?: number } = {}) {
    this.#cap = cap;
  }

  async append(entries: SpoolEntry[]): Promise<void> {
    const added = entries.flatMap((entry) =>
      entry.kind === 'fact' ? [{ fact: entry.fact, bytes: Buffer.byteLength(JSON.stringify(entry.fact)) }] : [],
    );
    const bytes = added.reduce((sum, one) => sum + one.bytes, 0);
    if (bytes > 0 && this.#bytes + bytes > this.#cap) throw new SpoolFullError(this.#bytes, this.#cap);
    for (const one of added) this.#pending.set(++this.#sequence, one);
    this.#bytes += bytes;
  }

  async oldest(limit: number): Promise<PendingFact[]> {
    const found: PendingFact[] = [];
    let size = 0;
    for (const [sequence, { fact, bytes }] of this.#pending) {
      if (found.length === limit || size > READ_AHEAD) break;
      found.push({ sequence, fact });
      size += bytes;
    }
    return found;
  }

  acknowledge(sequences: number[]): void {
    for (const sequence of sequences) {
      this.#bytes -= this.#pending.get(sequence)?.bytes ?? 0;
      this.#pending.delete(sequence);
    }
  }

  isFull(): boolean {
    return this.#bytes >= this.#cap;
  }

  async *restore(): AsyncGenerator<SpoolEntry> {}

  expire(): void {}

  stats() {
    return { bytes: this.#bytes, waiting: this.#pending.size, cap: this.#cap, damaged: 0 };
  }

  async close(): Promise<void> {}
}
