import type { Envelope } from '../../events/fact.ts';
import { compile, type Json, type Pattern } from '../../events/pattern.ts';
import type { Bus } from './bus.ts';

interface Rule {
  matches: (event: Json) => boolean;
  handler: (event: Envelope) => Promise<void>;
}

/** A bus in the process: the rules are EventBridge patterns. It has neither retries, archive nor delivery after a crash: facts come again by themselves. */
export class LocalBus implements Bus {
  readonly #rules: Rule[] = [];
  readonly #onProblem: (message: string) => void;

  constructor(onProblem: (message: string) => void) {
    this.#onProblem = onProblem;
  }

  subscribe(pattern: Pattern, handler: (event: Envelope) => Promise<void>): void {
    this.#rules.push({ matches: compile(pattern), handler });
  }

  async publish(event: Envelope): Promise<void> {
    const handlers = this.#rules.filter(({ matches }) => matches(event as unknown as Json));
    const results = await Promise.allSettled(handlers.map(({ handler }) => handler(event)));
    for (const result of results) {
      if (result.status === 'rejected') this.#onProblem(`A handler of ${event['detail-type']} failed: ${(result.reason as Error).message}`);
    }
  }
}
