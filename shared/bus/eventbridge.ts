import { type EventBridgeClient, PutEventsCommand, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { HOPELESS } from '../../events/exporter/sink/put-events.ts';
import { flaw, sized } from '../../events/exporter/sink/put-events-entries.ts';
import type { Envelope } from '../../events/fact.ts';
import type { Bus } from './bus.ts';

/** EventBridge did not take an event; `code` is its own (`MalformedDetail`, `ThrottlingException`, …) or the client's. */
export class PublishError extends Error {
  override name = 'PublishError';
  readonly code: string;
  /** It is the event's own fault: see `isNeverTaken`. */
  readonly never: boolean;

  constructor(event: Envelope, bus: string, code: string, message: string) {
    super(`${event['detail-type']} ${event.id} was not taken by the bus ${bus}: ${code}: ${message}`);
    this.code = code;
    // A ValidationException may be about the bus's name, too, which somebody can mend.
    this.never = OWN_FAULT.has(code) || (code === 'ValidationException' && /\bsize\b/i.test(message));
  }
}

const FLAWED = 'Flawed';
const OWN_FAULT = new Set([FLAWED, 'MalformedDetail', 'InvalidArgument']);

/** How the bus is reached. `bus` is a name or ARN; the client carries region, credentials and endpoint. */
export interface EventBridgeOptions {
  client: Pick<EventBridgeClient, 'send'>;
  bus: string;
  /** Waits before the next try, milliseconds. */
  wait(ms: number): Promise<unknown>;
  /** Calls before giving up. Default 3. */
  attempts?: number;
}

/** An EventBridge bus. PutEvents answers 200 for entries it did not take, so the entry's own result counts. Throws PublishError. */
export class EventBridgeBus implements Bus {
  readonly #options: EventBridgeOptions;

  constructor(options: EventBridgeOptions) {
    this.#options = options;
  }

  async publish(event: Envelope): Promise<void> {
    const { bus, wait, attempts = 3 } = this.#options;
    const flawed = flaw(sized(event, bus));
    if (flawed !== undefined) throw new PublishError(event, bus, FLAWED, flawed);
    for (let attempt = 1; ; attempt++) {
      const { ErrorCode: code, ErrorMessage: message = '' } = await this.#put(event);
      if (!code) return;
      if (HOPELESS.has(code) || attempt >= attempts) throw new PublishError(event, bus, code, message);
      await wait(100 * 2 ** attempt);
    }
  }

  /** One call. The client has already repeated what failed as a whole; that is an error like an entry's. */
  async #put(event: Envelope): Promise<PutEventsResultEntry> {
    const { client, bus } = this.#options;
    try {
      const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: [sized(event, bus).entry] }));
      return Entries[0] ?? { ErrorCode: 'NoAnswer', ErrorMessage: 'PutEvents gave no result for the entry' };
    } catch (error) {
      const { name, message } = error as Error;
      return { ErrorCode: name, ErrorMessage: message };
    }
  }
}
