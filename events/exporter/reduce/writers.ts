import type { Writer } from './timeline.ts';

/** A writer, and a text that is the same for the same writer only. */
interface Named {
  writer: Writer;
  writerKey: string;
}

const MOST = 4_096;

/** One copy of each writer for all the entries it is in: there are few of them, and they take more room than the rest of an entry. */
export class Writers {
  readonly #known = new Map<string, Named>();

  /** The copy of it. Whoever varies a user agent gets new ones, and fills nothing. */
  of(writer: Writer): Named {
    const { user, userAgent, pod, fieldManager } = writer;
    const writerKey = JSON.stringify([user, userAgent, pod, fieldManager]);
    const known = this.#known.get(writerKey);
    if (known) return known;
    if (this.#known.size >= MOST) this.#known.clear();
    const named = { writer, writerKey };
    this.#known.set(writerKey, named);
    return named;
  }
}
