import { asRecord } from '../as-record.ts';

/**
 * Tells when changes happened that a watch delivers after a restart: all at once, although they lie minutes apart. Taken as of now they would
 * look like a storm. The API server stamps a manager's entry in managedFields with the second of its write; what has no newer stamp
 * (a deletion) is taken as of the change before it.
 */
export class LateEvents {
  readonly #until: bigint | undefined;
  #last: number;

  /** `since`: the moment of the checkpoint, milliseconds; `from` and `until`: its resourceVersion, and the newest one at the restart. */
  constructor(since: number, from: string, until: string) {
    this.#last = since;
    // Kubernetes promises comparable numbers from 1.35 on, and always had them; anything else is taken as of now.
    this.#until = /^\d+$/.test(from) && /^\d+$/.test(until) ? BigInt(until) : undefined;
  }

  /** Milliseconds; undefined when the event is news. */
  timeOf(object: unknown, now: number): number | undefined {
    const { resourceVersion, managedFields } = asRecord(asRecord(object).metadata);
    if (this.#until === undefined || typeof resourceVersion !== 'string' || !/^\d+$/.test(resourceVersion)) return undefined;
    if (BigInt(resourceVersion) > this.#until) return undefined;
    for (const entry of Array.isArray(managedFields) ? managedFields : []) {
      const time = Date.parse(String(asRecord(entry).time));
      if (time > this.#last) this.#last = time;
    }
    this.#last = Math.min(this.#last, now);
    return this.#last;
  }
}
