import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkSecretName, SecretError, type Secrets } from './secrets.ts';

/** Secrets in the files of a folder, as Kubernetes mounts them: `slack/token` is the file token in the folder slack. One final line break is not part of it. */
export class FileSecrets implements Secrets {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(name: string): Promise<string> {
    checkSecretName(name);
    const path = join(this.#folder, name);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new SecretError(`The secret ${name} cannot be read from ${path}: ${error.code}. Write it there, readable only by kubemend.`);
    });
    const value = text.replace(/\r?\n$/, '');
    if (value === '') throw new SecretError(`The secret ${name} is empty: write its value to ${path}.`);
    return value;
  }
}
