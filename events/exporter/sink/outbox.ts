import type { Envelope } from '../../fact.ts';
import type { PendingFact, Spool } from '../spool/spool.ts';
import { backoff, type Wait } from '../wait.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type Sink, UndeliveredError } from './sink.ts';

/** How an outbox is set up. */
export interface OutboxOptions {
  spool: Spool;
  sink: Sink;
  deadLetters: DeadLetters;
  wait: Wait;
  random(): number;
  onProblem(message: string): void;
}

const BATCH = 100;

/** Sends what the spool holds, the oldest first and one batch after the other, so that the order per object is kept; keeps trying while the sink fails. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #stopping = new AbortController();
  #pump: Promise<void> | undefined;
  #hasNews = false;
  #sent = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Facts delivered since the start. */
  get sent(): number {
    return this.#sent;
  }

  /** There is something new in the spool. */
  wake(): void {
    this.#hasNews = true;
    this.#pump ??= this.#run();
  }

  /** Tries what is waiting once more; the rest stays in the spool. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#pump;
    this.wake();
    await this.#pump;
  }

  async #run(): Promise<void> {
    const { spool, wait, random, onProblem } = this.#options;
    for (let failures = 0; this.#hasNews; ) {
      try {
        const batch = await spool.oldest(BATCH);
        if (batch.length === 0) {
          // Whatever woke us meanwhile came after this look.
          this.#hasNews = spool.stats().waiting > 0;
          continue;
        }
        await this.#send(batch);
        failures = 0;
      } catch (error) {
        onProblem(`Facts were not sent (${spool.stats().waiting} waiting): ${error instanceof Error ? error.message : error}`);
        if (this.#stopping.signal.aborted) break;
        await wait(backoff(++failures, random), this.#stopping.signal);
      }
    }
    this.#pump = undefined;
  }

  async #send(batch: PendingFact[]): Promise<void> {
    const { spool, sink, deadLetters } = this.#options;
    const refused = new Map<Envelope, Promise<void>>();
    let failure: unknown;
    let undelivered = new Set<Envelope>();
    try {
      await sink.put(
        batch.map(({ fact }) => fact),
        (fact, because) => {
          refused.set(fact, deadLetters.add(fact, because));
        },
      );
    } catch (error) {
      failure = error;
      undelivered = new Set(error instanceof UndeliveredError ? error.undelivered : batch.map(({ fact }) => fact));
    }
    await Promise.all(refused.values());
    const done = batch.filter(({ fact }) => refused.has(fact) || !undelivered.has(fact));
    spool.acknowledge(done.map(({ sequence }) => sequence));
    this.#sent += done.length - refused.size;
    if (failure !== undefined) throw failure;
  }
}
