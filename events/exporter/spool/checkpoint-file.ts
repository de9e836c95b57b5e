import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { openPrivateFile, privateDirectory } from '../../private-files.ts';
import { asRecord } from '../as-record.ts';
import { syncDirectory } from './segments.ts';

/** A small value that survives a restart. `write` resolves when it is on disk; `read` answers undefined when there is none. */
export interface Checkpoint {
  read(): unknown;
  write(value: unknown): Promise<void>;
}

/** A checkpoint in a file of its own: replaced as a whole or not at all, and checked by a checksum. */
export class CheckpointFile implements Checkpoint {
  readonly #path: string;
  readonly #onProblem: (message: string) => void;
  #writing: Promise<void> = Promise.resolve();
  #isPrivate = false;
  /** There was a file, and it could not be used. */
  isDamaged = false;

  constructor(path: string, onProblem: (message: string) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
  }

  /** The value written last; undefined when there is none, or the file is damaged. */
  read(): unknown {
    try {
      const { crc32: expected, value } = asRecord(JSON.parse(readFileSync(this.#path, 'utf8')));
      if (crc32(JSON.stringify(value) ?? '') !== expected) throw new Error('its checksum is wrong');
      return value;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      this.isDamaged = true;
      this.#onProblem(
        `${this.#path} is damaged (${(error as Error).message}) and is taken for missing: the time since it was written counts as a gap.`,
      );
      return undefined;
    }
  }

  /** Resolves when the value is durable. Rejects with the disk's error; then the file holds the value before. */
  write(value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    const next = this.#writing.catch(() => {}).then(() => this.#replace(`{"crc32":${crc32(text)},"value":${text}}\n`));
    this.#writing = next;
    return next;
  }

  async #replace(text: string): Promise<void> {
    const directory = dirname(this.#path);
    const temporary = `${this.#path}.tmp`;
    if (!this.#isPrivate) privateDirectory(directory);
    this.#isPrivate = true;
    const file = await openPrivateFile(temporary, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path);
    await syncDirectory(directory);
  }
}

/** A checkpoint that ends with the process. */
export function checkpointInMemory(): Checkpoint {
  let held: unknown;
  return {
    read: () => held,
    async write(value) {
      held = value;
    },
  };
}
