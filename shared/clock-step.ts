/** How far the clocks of two processes may differ, milliseconds. A time further ahead than this was stored by a clock that ran ahead and has been put right since. */
export const MAX_CLOCK_SKEW_MS = 60_000;

/** Whether a stored moment lies in the future: no process with the right time can have stored it. */
export const isInFuture = (at: number, now: number): boolean => at > now + MAX_CLOCK_SKEW_MS;
