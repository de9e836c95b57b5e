import type { Envelope } from '../fact.ts';
import { type Sink, UndeliveredError } from './sink.ts';
import { backoff, type Wait } from './wait.ts';

/** How an outbox is set up. */
export interface OutboxOptions {
  sink: Sink;
  wait: Wait;
  random(): number;
  onProblem(message: string): void;
  /** Most facts in memory; the oldest go first. Default 10,000. */
  cap?: number;
}

const BATCH = 100;

/** Sends facts one after the other, so the order per object is kept, and keeps trying while the sink fails. Held in memory only. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #cap: number;
  readonly #stopping = new AbortController();
  #waiting: { fact: Envelope; settle: () => void }[] = [];
  #pump: Promise<void> | undefined;
  #sent = 0;
  #lost = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#cap = options.cap ?? 10_000;
  }

  /** Facts waiting, delivered, and lost because the sink failed for too long. */
  stats(): { waiting: number; sent: number; lost: number } {
    return { waiting: this.#waiting.length, sent: this.#sent, lost: this.#lost };
  }

  /** Resolves when every one of these facts has left. */
  async add(facts: Envelope[]): Promise<void> {
    const settled = facts.map((fact) => new Promise<void>((settle) => this.#waiting.push({ fact, settle })));
    this.#discard(this.#waiting.length - this.#cap);
    if (settled.length > 0) this.#pump ??= this.#run();
    await Promise.all(settled);
  }

  /** Tries what is waiting once more, then gives up on it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#pump;
  }

  async #run(): Promise<void> {
    const { sink, wait, random, onProblem } = this.#options;
    for (let failures = 0; this.#waiting.length > 0; ) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        await sink.put(batch.map(({ fact }) => fact));
        this.#settle(batch);
        failures = 0;
      } catch (error) {
        const undelivered = new Set(error instanceof UndeliveredError ? error.undelivered : batch.map(({ fact }) => fact));
        const rest = batch.filter(({ fact }) => undelivered.has(fact));
        this.#settle(batch.filter(({ fact }) => !undelivered.has(fact)));
        this.#waiting.unshift(...rest);
        this.#discard(this.#waiting.length - this.#cap);
        onProblem(
          `${rest.length} facts were not sent (${this.#waiting.length} waiting): ${error instanceof Error ? error.message : error}`,
        );
        if (this.#stopping.signal.aborted) this.#discard(rest.length);
        else await wait(backoff(++failures, random), this.#stopping.signal);
      }
    }
    this.#pump = undefined;
  }

  #settle(batch: { settle: () => void }[]): void {
    this.#sent += batch.length;
    for (const { settle } of batch) settle();
  }

  #discard(count: number): void {
    if (count <= 0) return;
    const lost = this.#waiting.splice(0, count);
    this.#lost += lost.length;
    this.#options.onProblem(`${lost.length} facts were given up: the sink failed for too long.`);
    for (const { settle } of lost) settle();
  }
}
