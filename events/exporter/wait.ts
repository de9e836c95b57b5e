import { setTimeout } from 'node:timers/promises';

/** Resolves after `ms` milliseconds, or at once when the signal aborts; never rejects. Injected, so that tests own the time. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** Real timers. */
export const realWait: Wait = (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => {});

/** Milliseconds to wait after `failures` failures in a row: 0.5 s doubling up to 30 s, half of it random. */
export const backoff = (failures: number, random: () => number): number =>
  Math.min(30_000, 500 * 2 ** Math.max(0, failures - 1)) * (0.5 + random() / 2);
