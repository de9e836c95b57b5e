import { rename, stat } from 'node:fs/promises';
import type { Envelope } from '../../fact.ts';
import { openPrivateFile } from '../../private-files.ts';

/** Where facts end that the sink will never take. */
export interface DeadLetters {
  /** Resolves when the fact and the reason are kept, as well as that is possible; never rejects. */
  add(fact: Envelope, because: string): Promise<void>;
  /** Since the start. */
  readonly count: number;
}

/** How the file is set up. `most`: bytes, after which it is renamed to `….1` and begins anew; default 8 MiB. */
export interface DeadLetterFileOptions {
  path: string;
  now(): number;
  onProblem(message: string): void;
  most?: number;
}

/** A file with one JSON object a line: `at`, `because` and the whole `fact`. Twice its size is the most it takes of the disk. */
export class DeadLetterFile implements DeadLetters {
  readonly #options: Required<DeadLetterFileOptions>;
  #count = 0;

  constructor(options: DeadLetterFileOptions) {
    this.#options = { most: 8 * 2 ** 20, ...options };
  }

  get count(): number {
    return this.#count;
  }

  async add(fact: Envelope, because: string): Promise<void> {
    const { path, now, onProblem, most } = this.#options;
    this.#count++;
    try {
      const size = await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
      if (size > most) await rename(path, `${path}.1`);
      const file = await openPrivateFile(path, 'a');
      try {
        await file.appendFile(`${JSON.stringify({ at: new Date(now()).toISOString(), because, fact })}\n`);
        await file.datasync();
      } finally {
        await file.close();
      }
      onProblem(`The bus will never take fact ${fact.id}: ${because}. It is kept in ${path}.`);
    } catch (error) {
      // The log is all that is left.
      const why = error instanceof Error ? error.message : error;
      onProblem(
        `The bus will never take fact ${fact.id}: ${because}. ${path} cannot be written (${why}), so here it is: ${JSON.stringify(fact)}`,
      );
    }
  }
}

/** For an exporter without a disk: the log is all there is. */
export function deadLettersInLog(onProblem: (message: string) => void): DeadLetters {
  let count = 0;
  return {
    async add(fact, because) {
      count++;
      onProblem(`The bus will never take fact ${fact.id}: ${because}. It was: ${JSON.stringify(fact)}`);
    },
    get count() {
      return count;
    },
  };
}
