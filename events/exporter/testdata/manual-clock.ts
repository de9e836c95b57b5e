import type { Wait } from '../wait.ts';

/** A clock that stands still until a test moves it. */
export class ManualClock {
  #now: number;
  readonly #waiting = new Set<{ until: number; resolve: () => void }>();

  constructor(now: number) {
    this.#now = now;
  }

  now = (): number => this.#now;

  wait: Wait = (ms, signal) =>
    new Promise((resolve) => {
      const one = { until: this.#now + ms, resolve };
      if (signal.aborted || ms <= 0) return resolve();
      this.#waiting.add(one);
      signal.addEventListener('abort', () => {
        this.#waiting.delete(one);
        resolve();
      });
    });

  /** Milliseconds of the waits that somebody is in. */
  pending(): number[] {
    return [...this.#waiting].map(({ until }) => until - this.#now);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const one of [...this.#waiting].filter(({ until }) => until <= this.#now)) {
      this.#waiting.delete(one);
      one.resolve();
    }
  }
}

/** Polls, a turn of the event loop at a time, until the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (const start = Date.now(); !condition(); await new Promise((resolve) => setTimeout(resolve, 1))) {
    if (Date.now() - start > 5_000) throw new Error(`Never came true: ${condition}`);
  }
}
