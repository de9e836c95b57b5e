import type { Envelope } from '../fact.ts';

/** Where facts go. `put` resolves when all of them are delivered or given up for good; it throws UndeliveredError for those to send again. */
export interface Sink {
  put(events: Envelope[]): Promise<void>;
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
