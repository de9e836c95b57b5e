import { lstat, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Envelope, envelope } from '../events/fact.ts';
import { UsageError } from './verb.ts';

/** Dead letters that were put aside for a redrive. */
export interface Aside {
  lines: string[];
  /** Removes them, once each letter that was not sent is stored as a dead letter again. */
  done(): Promise<void>;
}

/**
 * Puts files of dead letters aside, because the exporter may write new ones meanwhile, and returns their lines after the lines that an
 * interrupted redrive had put aside. Undefined: no file exists. Checks every file before it moves one: throws UsageError, and changes nothing,
 * when a file is not a regular file or holds no dead letter.
 */
export async function putAside(files: string[]): Promise<Aside | undefined> {
  const interrupted = (await Promise.all(files.map(asidesOf))).flat();
  const found: string[] = [];
  for (const file of [...interrupted, ...files]) if (await holdsLetters(file)) found.push(file);
  const asides: string[] = [];
  for (const file of found) {
    const aside = interrupted.includes(file) ? file : `${file}.redriving-${Date.now()}-${process.pid}`;
    if (aside !== file) await rename(file, aside).catch((error: Error) => cannot(file, error.message));
    asides.push(aside);
  }
  if (asides.length === 0) return undefined;
  const texts: string[] = [];
  for (const aside of asides) texts.push((await orNone(aside, readFile(aside, 'utf8'))) ?? '');
  return {
    lines: texts.flatMap(linesOf),
    async done() {
      for (const aside of asides) await rm(aside, { force: true });
    },
  };
}

/** The event of a dead letter, or the reason why the line holds no event. */
export function parseLetter(line: string): Envelope | string {
  try {
    const { event, fact } = JSON.parse(line) as { event?: unknown; fact?: unknown };
    const found = envelope.safeParse(event ?? fact);
    return found.success ? found.data : 'the line holds no event';
  } catch {
    return 'the line is not JSON';
  }
}

/** The files that interrupted redrives of a file had put aside, oldest first. */
async function asidesOf(file: string): Promise<string[]> {
  const [folder, prefix] = [dirname(file), `${basename(file)}.redriving`];
  const names = (await orNone(file, readdir(folder))) ?? [];
  return names
    .filter((name) => name === prefix || name.startsWith(`${prefix}-`))
    .sort()
    .map((name) => join(folder, name));
}

/** False: the file does not exist. Opens regular files only: opening a pipe or a device can block or have effects. */
async function holdsLetters(file: string): Promise<boolean> {
  const stats = await orNone(file, lstat(file));
  if (stats === undefined) return false;
  if (!stats.isFile()) return cannot(file, 'it is not a regular file');
  const text = await orNone(file, readFile(file, 'utf8'));
  if (text === undefined) return false;
  if (!linesOf(text).some((line) => typeof parseLetter(line) !== 'string')) return cannot(file, 'it holds no dead letter');
  return true;
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

async function orNone<T>(file: string, action: Promise<T>): Promise<T | undefined> {
  return action.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    return cannot(file, error.message);
  });
}

function cannot(file: string, reason: string): never {
  throw new UsageError(`kubemend cannot redrive ${file}: ${reason}. The file is unchanged`);
}
