import type { Envelope } from '../../fact.ts';

/** Told of a fact that will never be taken, and why. */
export type Refuse = (event: Envelope, because: string) => void;

/** Where facts go. */
export interface Sink {
  /** Resolves when all of them are delivered or refused for good; throws UndeliveredError for those to send again. */
  put(events: Envelope[], refuse?: Refuse): Promise<void>;
  /** Entries that were not taken since the start, by error code; each try counts. */
  failures?(): Record<string, number>;
}

/** Some facts were not taken, and trying again later may help. */
export class UndeliveredError extends Error {
  readonly undelivered: Envelope[];

  constructor(message: string, undelivered: Envelope[]) {
    super(message);
    this.name = 'UndeliveredError';
    this.undelivered = undelivered;
  }
}
