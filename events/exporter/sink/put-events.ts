import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Envelope } from '../../fact.ts';
import { backoff, type Wait } from '../wait.ts';
import { flaw, nextCall, type Sized, sized } from './put-events-entries.ts';
import { type Refuse, type Sink, UndeliveredError } from './sink.ts';

export { entryOf } from './put-events-entries.ts';

/** How the sink is set up. `bus` is a name or ARN. */
export interface PutEventsOptions {
  /** Best with `maxAttempts: 1`: the sink itself tries again. */
  client: EventBridgeClient;
  bus: string;
  /** Also told of a fact that EventBridge will never take; whoever calls `put` is told first. */
  onDeadLetter?: Refuse;
  random(): number;
  wait: Wait;
  /** Calls per batch before it is handed back as undelivered. Default 5. */
  attempts?: number;
  /** Milliseconds until a call without an answer is given up. Default 10,000. */
  answerWithin?: number;
}

/** Answers about the entry itself, or about rights: asking again at once gives the same; every other code may pass. */
export const HOPELESS = new Set([
  'MalformedDetail',
  'InvalidArgument',
  'ValidationException',
  'NotAuthorizedForSourceException',
  'NotAuthorizedForDetailTypeException',
]);
/** Rights can be given: these facts are kept until then. */
const MALFORMED = new Set(['MalformedDetail', 'InvalidArgument', 'ValidationException']);
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/;

/** What became of one call. `code` is the last failure's. */
interface Sent {
  failed: Sized[];
  code: string;
  because: string;
}

/** Sends facts to an EventBridge bus: full batches, per-entry results, only failed entries again, the facts of one object in their order. */
export class PutEventsSink implements Sink {
  readonly #options: PutEventsOptions;
  readonly #failures: Record<string, number> = {};
  /** The bus has taken something: an invalid request is not the fault of its name. */
  #isProven = false;

  constructor(options: PutEventsOptions) {
    this.#options = options;
  }

  /** Throws UndeliveredError with what did not get through and, of the same objects, all that follows; with everything when the bus takes nothing. */
  async put(events: Envelope[], refuse?: Refuse): Promise<void> {
    const dead: Refuse = (event, because) => {
      refuse?.(event, because);
      this.#options.onDeadLetter?.(event, because);
    };
    let waiting = events.map((event) => sized(event, this.#options.bus)).filter((one) => !this.#isFlawed(one, dead));
    const undelivered: Sized[] = [];
    const stuck = new Set<string>();
    let why = '';
    while (waiting.length > 0) {
      const { call, rest } = nextCall(waiting);
      const { failed, code, because } = await this.#send(call, dead);
      for (const { object } of failed) stuck.add(object);
      const stop = failed.length > 0 && (failed.length === call.length || THROTTLED.test(code));
      undelivered.push(...failed, ...rest.filter(({ object }) => stop || stuck.has(object)));
      waiting = rest.filter(({ object }) => !stop && !stuck.has(object));
      why = because || why;
    }
    if (undelivered.length === 0) return;
    const left = new Set(undelivered.map(({ event }) => event));
    throw new UndeliveredError(
      `PutEvents to ${this.#options.bus} failed: ${why}`,
      events.filter((event) => left.has(event)),
    );
  }

  /** Entries that were not taken, by ErrorCode, or by the name of the error that took the whole call. */
  failures(): Record<string, number> {
    return { ...this.#failures };
  }

  #failed(code: string, entries: number): void {
    this.#failures[code] = (this.#failures[code] ?? 0) + entries;
  }

  #isFlawed(one: Sized, dead: Refuse): boolean {
    const because = flaw(one);
    if (because === undefined) return false;
    this.#failed('Flawed', 1);
    dead(one.event, because);
    return true;
  }

  async #send(call: Sized[], dead: Refuse, attempts = this.#options.attempts ?? 5): Promise<Sent> {
    const { random, wait } = this.#options;
    let sent: Sent = { failed: call, code: '', because: '' };
    for (let attempt = 1; attempt <= attempts && sent.failed.length > 0; attempt++) {
      const pause = backoff(attempt - 1, random) / (THROTTLED.test(sent.code) ? 1 : 5);
      if (attempt > 1) await wait(pause, new AbortController().signal);
      const { failed, because } = sent;
      try {
        sent = { ...sent, ...(await this.#call(failed, dead)) };
      } catch (error) {
        sent = { failed, ...nameOf(error) };
        this.#failed(sent.code, failed.length);
        if (!MALFORMED.has(sent.code)) continue;
        if (failed.length > 1) return this.#sendEach(failed, dead);
        if (!this.#isProven) return sent;
        dead((failed[0] as Sized).event, sent.because);
        return { failed: [], code: sent.code, because };
      }
    }
    return sent;
  }

  /** One call; gives the entries to send again, and the code of one of them. */
  async #call(entries: Sized[], dead: Refuse): Promise<Sent | { failed: Sized[] }> {
    const { client, answerWithin = 10_000 } = this.#options;
    const command = new PutEventsCommand({ Entries: entries.map(({ entry }) => entry) });
    const { Entries = [] } = await client.send(command, { abortSignal: AbortSignal.timeout(answerWithin) });
    const failed: Sized[] = [];
    const last = { code: '', because: '' };
    for (const [index, one] of entries.entries()) {
      // Results count by their place: of a list of another length nobody knows whose they are.
      const { EventId, ErrorCode, ErrorMessage = '' } = (Entries.length === entries.length ? Entries[index] : undefined) ?? {};
      if (EventId && !ErrorCode) {
        this.#isProven = true;
        continue;
      }
      const code = ErrorCode ?? 'NoAnswer';
      this.#failed(code, 1);
      if (MALFORMED.has(code)) {
        dead(one.event, `${code} ${ErrorMessage}`);
        continue;
      }
      failed.push(one);
      // One that is throttled means all of them.
      if (!THROTTLED.test(last.code)) Object.assign(last, { code, because: `${code} ${ErrorMessage}` });
    }
    return failed.length > 0 ? { failed, ...last } : { failed };
  }

  /** One entry can make EventBridge refuse the whole call: it must not stop the others for ever. */
  async #sendEach(call: Sized[], dead: Refuse): Promise<Sent> {
    const all: Sent = { failed: [], code: '', because: '' };
    for (const one of call) {
      const { failed, code, because } = await this.#send([one], dead, 1);
      all.failed.push(...failed);
      if (failed.length > 0) Object.assign(all, { code, because });
    }
    return all;
  }
}

/** ECONNRESET, TimeoutError, ThrottlingException …: what went wrong with the whole call. */
function nameOf(error: unknown): { code: string; because: string } {
  const { name = 'Error', message = String(error) } = Object(error) as Partial<Error>;
  // The SDK calls every broken connection a TimeoutError; the system's code stays in the message.
  const short = /\bE[A-Z]{4,}\b/.exec(message)?.[0] ?? (name === 'AbortError' ? 'TimeoutError' : name);
  return { code: short, because: `${short} ${message}` };
}
