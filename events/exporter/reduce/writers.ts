import type { Writer } from './timeline.ts';

/** A writer, and a text that is the same for the same writer only. */
interface Named {
  writer: Writer;
  writerKey: string;
}

const MOST = 4_096;

/** The same text for the same writer only. */
export const identityOf = ({ user, userAgent, pod, podUid, impersonator, fieldManager }: Loose<Writer>): string =>
  JSON.stringify([user, userAgent, pod, podUid, impersonator, fieldManager]);

type Loose<T> = { [K in keyof T]: T[K] | undefined };

/** The writer alone, without the rest of its request. */
const writerOf = ({ user, userAgent, pod, podUid, impersonator, fieldManager }: Writer): Writer => ({
  ...{ user, userAgent },
  ...(pod && { pod }),
  ...(podUid && { podUid }),
  ...(impersonator && { impersonator }),
  ...(fieldManager && { fieldManager }),
});

/** One copy of each writer for all the entries it is in: there are few of them, and they take more room than the rest of an entry. */
export class Writers {
  readonly #known = new Map<string, Named>();

  /** The copy of it. Whoever varies a user agent gets new ones, and fills nothing. */
  of(request: Writer): Named {
    const writerKey = identityOf(request);
    const known = this.#known.get(writerKey);
    if (known) return known;
    if (this.#known.size >= MOST) this.#known.clear();
    const named = { writer: writerOf(request), writerKey };
    this.#known.set(writerKey, named);
    return named;
  }
}
