import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { Envelope } from '../fact.ts';
import { type Refuse, type Sink, UndeliveredError } from './sink.ts';
import { backoff, type Wait } from './wait.ts';

/** How the sink is set up. `bus` is a name or ARN. */
export interface PutEventsOptions {
  client: EventBridgeClient;
  bus: string;
  /** Also told of a fact that EventBridge will never take; whoever calls `put` is told first. */
  onDeadLetter?: Refuse;
  random(): number;
  wait: Wait;
  /** Calls per batch before it is handed back as undelivered. Default 5. */
  attempts?: number;
}

const MAX_ENTRIES = 10;
/** The whole request must stay below 1 MB. */
const MAX_BYTES = 1_000_000;
/** Answers about the entry itself: asking again gives the same; every other code may pass. */
export const HOPELESS = new Set([
  'MalformedDetail',
  'InvalidArgument',
  'ValidationException',
  'NotAuthorizedForSourceException',
  'NotAuthorizedForDetailTypeException',
]);

/** Sends facts to an EventBridge bus: full batches, per-entry results, only failed entries again. */
export class PutEventsSink implements Sink {
  readonly #options: PutEventsOptions;
  readonly #failures: Record<string, number> = {};

  constructor(options: PutEventsOptions) {
    this.#options = options;
  }

  /** Throws UndeliveredError with everything from the first batch that did not get through, so that the order is kept. */
  async put(events: Envelope[], refuse?: Refuse): Promise<void> {
    const dead: Refuse = (event, because) => {
      refuse?.(event, because);
      this.#options.onDeadLetter?.(event, because);
    };
    const sized = events.map((event) => ({ event, entry: entryOf(event, this.#options.bus) }));
    const batches = batchesOf(sized.filter((one) => !this.#isTooBig(one, dead)));
    for (const [index, batch] of batches.entries()) {
      const { rest, because } = await this.#send(batch, dead);
      if (rest.length === 0) continue;
      const undelivered = [...rest, ...batches.slice(index + 1).flat()].map(({ event }) => event);
      throw new UndeliveredError(`PutEvents to ${this.#options.bus} failed: ${because}`, undelivered);
    }
  }

  /** Entries that were not taken, by ErrorCode, or by the name of the error that took the whole call. */
  failures(): Record<string, number> {
    return { ...this.#failures };
  }

  #failed(code: string, entries: number): void {
    this.#failures[code] = (this.#failures[code] ?? 0) + entries;
  }

  #isTooBig({ event, entry }: Sized, dead: Refuse): boolean {
    const size = sizeOf(entry);
    if (size < MAX_BYTES) return false;
    this.#failed('TooBig', 1);
    dead(event, `${size} bytes; EventBridge takes less than ${MAX_BYTES}`);
    return true;
  }

  async #send(batch: Sized[], dead: Refuse): Promise<{ rest: Sized[]; because: string }> {
    const { client, random, wait, attempts = 5 } = this.#options;
    let rest = batch;
    let because = '';
    for (let attempt = 1; attempt <= attempts && rest.length > 0; attempt++) {
      if (attempt > 1) await wait(backoff(attempt - 1, random) / 5, new AbortController().signal);
      try {
        const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: rest.map(({ entry }) => entry) }));
        rest = rest.filter(({ event }, index) => {
          const { ErrorCode, ErrorMessage } = Entries[index] ?? { ErrorCode: 'NoAnswer', ErrorMessage: 'no result for this entry' };
          if (!ErrorCode) return false;
          because = `${ErrorCode} ${ErrorMessage ?? ''}`;
          this.#failed(ErrorCode, 1);
          if (!HOPELESS.has(ErrorCode)) return true;
          dead(event, because);
          return false;
        });
      } catch (error) {
        const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
        because = `${name} ${message}`;
        this.#failed(name, rest.length);
        if (HOPELESS.has(name)) return this.#sendEach(rest, because, dead);
      }
    }
    return { rest, because };
  }

  /** One entry can make EventBridge refuse the whole call: it must not stop the others for ever. */
  async #sendEach(batch: Sized[], because: string, dead: Refuse): Promise<{ rest: Sized[]; because: string }> {
    const [only, ...others] = batch;
    if (only && others.length === 0) {
      dead(only.event, because);
      return { rest: [], because };
    }
    for (const [index, one] of batch.entries()) {
      const sent = await this.#send([one], dead);
      if (sent.rest.length > 0) return { rest: batch.slice(index), because: sent.because };
    }
    return { rest: [], because };
  }
}

interface Sized {
  event: Envelope;
  entry: PutEventsRequestEntry;
}

/** The entry of an envelope for PutEvents; `bus` is a name or ARN. */
export const entryOf = ({ source, time, detail, 'detail-type': detailType }: Envelope, bus: string): PutEventsRequestEntry => ({
  EventBusName: bus,
  Source: source,
  DetailType: detailType,
  Detail: JSON.stringify(detail),
  Time: new Date(time),
});

/** As EventBridge counts: 14 bytes for the time, and the UTF-8 length of the rest. */
const sizeOf = ({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number =>
  14 + Buffer.byteLength(Source) + Buffer.byteLength(DetailType) + Buffer.byteLength(Detail);

function batchesOf(entries: Sized[]): Sized[][] {
  const batches: Sized[][] = [];
  let size = 0;
  for (const one of entries) {
    const bytes = sizeOf(one.entry);
    const last = batches.at(-1);
    if (last && last.length < MAX_ENTRIES && size + bytes < MAX_BYTES) {
      last.push(one);
      size += bytes;
    } else {
      batches.push([one]);
      size = bytes;
    }
  }
  return batches;
}
