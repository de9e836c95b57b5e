/** Time as an argument: the real one, a test's, or the recording's. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `action` once at or after `at`; the answer cancels it. */
  at(at: number, action: () => void): () => void;
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(at, action) {
    const timer = setTimeout(action, Math.min(LONGEST_TIMER, Math.max(0, at - Date.now())));
    return () => clearTimeout(timer);
  },
};
