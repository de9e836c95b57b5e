import type { Envelope } from '../../fact.ts';

/** What goes into a spool: a fact to send, or what a window needs to be rebuilt after a restart. `at`: milliseconds since 1970. */
export type SpoolEntry = { kind: 'fact'; fact: Envelope } | { kind: 'counted'; at: number; entry: unknown };

/** A fact that was not acknowledged yet. */
export interface PendingFact {
  sequence: number;
  fact: Envelope;
}

/** Keeps facts until they are acknowledged, and counted records as long as a window may need them. */
export interface Spool {
  /** Resolves when all of it is durable. Rejects with SpoolFullError above the cap, and with the disk's error; then none of it is kept. */
  append(entries: SpoolEntry[]): Promise<void>;
  /** The oldest facts without acknowledgement, in the order of their appends: at most `limit`, and not much more than 4 MiB. */
  oldest(limit: number): Promise<PendingFact[]>;
  /** These were delivered, or given up: takes effect at once, also at the cap, and is durable soon; a crash before that sends them once more. */
  acknowledge(sequences: number[]): void;
  /** True when the next append would be refused. */
  isFull(): boolean;
  /** What earlier processes left, in order, acknowledged facts too. Read it before the first append. */
  restore(): AsyncGenerator<SpoolEntry>;
  /** Forgets what is older than any window. */
  expire(now: number): void;
  stats(): { bytes: number; waiting: number; cap: number; damaged: number };
  /** Resolves when what was acknowledged is durable, if the disk allows. */
  close(): Promise<void>;
}

/** The spool is at its cap: try again when facts have left. */
export class SpoolFullError extends Error {
  override name = 'SpoolFullError';

  constructor(bytes: number, cap: number) {
    super(
      `The spool holds ${bytes} of ${cap} bytes and takes no more until facts have left: check that the bus answers, or give it more room.`,
    );
  }
}

/** Most bytes of facts that one `oldest` reads. */
export const READ_AHEAD = 4 * 2 ** 20;
