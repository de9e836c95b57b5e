import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from './verb.ts';

/** Dead letters that were put aside for a redrive. */
export interface Aside {
  lines: string[];
  /** Forgets them, once what was not taken is a dead letter again. */
  done(): Promise<void>;
}

/**
 * Puts a file of dead letters aside, because the exporter may write a new one meanwhile, and gives its lines after those that a redrive that
 * died had put aside. Undefined: there are none. Throws UsageError where there may be some and they cannot be had.
 */
export async function putAside(file: string): Promise<Aside | undefined> {
  const [folder, prefix] = [dirname(file), `${basename(file)}.redriving`];
  const older = (await orNone(file, readdir(folder))) ?? [];
  const asides = older.filter((name) => name === prefix || name.startsWith(`${prefix}-`)).map((name) => join(folder, name));
  // Read first: what cannot be read is not moved.
  if ((await orNone(file, readFile(file))) !== undefined) {
    const aside = `${file}.redriving-${Date.now()}-${process.pid}`;
    await rename(file, aside).catch((error: Error) => cannot(file, error));
    asides.push(aside);
  }
  if (asides.length === 0) return undefined;
  const texts: string[] = [];
  for (const aside of asides.sort()) texts.push((await orNone(aside, readFile(aside, 'utf8'))) ?? '');
  return {
    lines: texts.flatMap((text) => text.split('\n')).filter((line) => line.trim() !== ''),
    async done() {
      for (const aside of asides) await rm(aside, { force: true });
    },
  };
}

async function orNone<T>(file: string, action: Promise<T>): Promise<T | undefined> {
  return action.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    return cannot(file, error);
  });
}

function cannot(file: string, { message }: Error): never {
  throw new UsageError(`The dead letters of ${file} cannot be taken: ${message}. They stay where they are`);
}
