import { MAX_AHEAD_IN_LOG_MS } from './arrival.ts';
import { SKEW } from './timeline.ts';

/** Entries may be so far ahead of the receiver's clock: those of a log, whose timestamps are the API server's. Beyond it, the receiver's clock was set back. */
const AHEAD = MAX_AHEAD_IN_LOG_MS + SKEW;

/** Notices that the receiver's clock was set back. Times in milliseconds. */
export class ReceiverClock {
  /** The latest time that the clock or an entry had. */
  #latest = Number.NEGATIVE_INFINITY;

  /** An entry has this time. */
  dated(at: number): void {
    this.#latest = Math.max(this.#latest, at);
  }

  /** The clock says `now`; true when it was set back since an earlier call or entry. */
  wasSetBack(now: number): boolean {
    const isSetBack = this.#latest > now + AHEAD;
    this.#latest = isSetBack ? now : Math.max(this.#latest, now);
    return isSetBack;
  }
}
