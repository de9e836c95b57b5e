import type { Envelope } from '../../events/fact.ts';

/** Where facts and outcomes are published. Resolves when the event is safe with the bus. */
export interface Bus {
  publish(event: Envelope): Promise<void>;
}
