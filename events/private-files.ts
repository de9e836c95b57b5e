import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

const DIRECTORY = 0o700;
const FILE = 0o600;
/** All that group and others may do. */
const OTHERS = 0o077;
/** It belongs to another user (a volume whose group Kubernetes sets), nothing can be written there at all, or it was renamed meanwhile. */
const NOT_OURS = ['EPERM', 'EROFS', 'ENOENT'];

/**
 * Makes a directory that only its owner can enter. One that is there already is restricted, with everything in it, whatever its modes are; call it with a
 * directory of kubemend's own only. Blocks; throws what the file system says.
 */
export function privateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: DIRECTORY });
  restrict(path, DIRECTORY);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) privateDirectory(inner);
    else if (entry.isFile()) restrict(inner, FILE);
  }
}

/**
 * The same for a directory that a user named. One that is there already is restricted only while it holds nothing but `own` names: others may need the
 * rest. The files of kubemend are private either way.
 */
export function privateDirectoryOf(path: string, own: RegExp): void {
  mkdirSync(path, { recursive: true, mode: DIRECTORY });
  if (readdirSync(path).every((name) => own.test(name))) restrict(path, DIRECTORY);
}

/**
 * Makes an empty file that only its owner can read, or restricts the one that is there. That one is not opened: closing a file releases every POSIX lock
 * that this process has on it, and SQLite's are such.
 */
export function privateFile(path: string): void {
  if (existsSync(path)) restrict(path, FILE);
  else closeSync(openSync(path, 'a', FILE));
}

/** Writes a whole file that only its owner can read; the one that was there is restricted before the text is in it. `flag: 'a'` appends. */
export function writePrivateFile(path: string, content: string | Buffer, flag: 'w' | 'a' = 'w'): void {
  const file = openSync(path, flag, FILE);
  try {
    // Not always: Node's permission model forbids fchmod.
    if ((fstatSync(file).mode & OTHERS) !== 0) ignoring(() => fchmodSync(file, FILE));
    writeFileSync(file, content);
  } finally {
    closeSync(file);
  }
}

/** Opens a file for writing that only its owner can read. */
export async function openPrivateFile(path: string, flags: 'w' | 'wx' | 'wx+' | 'r+' | 'a'): Promise<FileHandle> {
  const file = await open(path, flags, FILE);
  if (((await file.stat()).mode & OTHERS) !== 0) await file.chmod(FILE).catch(unlessNotOurs);
  return file;
}

function restrict(path: string, mode: number): void {
  ignoring(() => {
    if ((statSync(path).mode & OTHERS) !== 0) chmodSync(path, mode);
  });
}

function ignoring(action: () => void): void {
  try {
    action();
  } catch (error) {
    unlessNotOurs(error);
  }
}

function unlessNotOurs(error: unknown): void {
  if (!NOT_OURS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
}
