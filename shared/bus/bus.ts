import type { Envelope } from '../../events/fact.ts';

/** Where facts and outcomes are published. Resolves when the event is safe with the bus; throws when it is not, see `isNeverTaken`. */
export interface Bus {
  publish(event: Envelope): Promise<void>;
}

/** Whether a bus threw because of the event itself (`never: true`): no other try would bring it through. */
export const isNeverTaken = (error: unknown): boolean => (error as { never?: unknown } | undefined)?.never === true;
