/*
 * A clock that ran ahead and was put right leaves times in the future behind. Whatever rests on such a time is due, over or expired: it must not wait until the time has come.
 */

/** How far the clocks of two processes may differ, milliseconds. */
export const MAX_CLOCK_SKEW_MS = 60_000;
/** No lease is taken for longer, milliseconds: one that ends later was taken by a clock that ran ahead. */
export const MAX_LEASE_MS = 900_000;
/** What waits for longer than this is asked whether it was set by a clock that ran ahead, milliseconds. */
export const LONG_WAIT_MS = 900_000;

/** Whether a stored moment lies in the future: no process with the right time can have stored it. */
export const isInFuture = (at: number, now: number): boolean => at > now + MAX_CLOCK_SKEW_MS;

/** Whether a timer is due: its time has come, or it was set in the future. Milliseconds. */
export const isDue = ({ at, set }: { at: number; set?: number | undefined }, now: number): boolean =>
  at <= now || (set !== undefined && isInFuture(set, now));
