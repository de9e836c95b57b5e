import { setTimeout as delay } from 'node:timers/promises';
import { MayNotActError } from '../../shared/acting.ts';

const RETRY_MS = 1_000;
/** SQLite's primary result codes that pass: busy, locked, out of memory, read-only, I/O error, full, cannot be opened. */
const PASSING_CODES = [5, 6, 7, 8, 10, 13, 14];

/** Whether the same may succeed later: the database is locked or its disk is full, or this process may not act just now. */
export function isPassing(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return error instanceof MayNotActError || (code === 'ERR_SQLITE_ERROR' && PASSING_CODES.includes(Number(errcode) & 0xff));
}

/** Hands facts to the engine. One that cannot be recorded now is handed in again until it is: the same fact twice counts once. */
export class Ingest {
  readonly #stopping = new AbortController();
  #waiting = 0;

  /** Whether facts wait because they could not be recorded. */
  get isBlocked(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves when it is handled. Rejects with what does not pass, and with what is left when it is stopped. */
  async hand(take: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await take();
      } catch (error) {
        const { signal } = this.#stopping;
        if (!isPassing(error) || signal.aborted) throw error;
        this.#waiting += 1;
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
        this.#waiting -= 1;
      }
    }
  }

  /** Tries what waits once more, and then no longer. */
  stop(): void {
    this.#stopping.abort();
  }
}
