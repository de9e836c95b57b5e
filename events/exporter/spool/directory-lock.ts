import { readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { privateDirectory, privateFile, writePrivateFile } from '../../private-files.ts';

/** Another process uses this directory. */
export class DirectoryInUseError extends Error {
  override name = 'DirectoryInUseError';
}

/** A directory that this process has for itself. */
export interface DirectoryLock {
  release(): void;
}

/** A process that was killed a moment ago may not be gone yet. Milliseconds. */
const PATIENCE_MS = 2_000;
const SQLITE_BUSY = 5;

/**
 * Takes the operating system's lock on a directory, which ends with the process, however it ends. Node has no flock: SQLite locks its file by fcntl for
 * as long as a transaction is open. The file `lock` in the directory stays; `lock-holder` says who has the lock. Throws DirectoryInUseError.
 */
export function lockDirectory(directory: string): DirectoryLock {
  privateDirectory(directory);
  // In the directory, whatever it is called: a link, or a path through another mount namespace, leads to the same file.
  const path = join(directory, 'lock');
  const holder = join(directory, 'lock-holder');
  // Never read: a process that closes the file by other means than SQLite loses its lock on it (POSIX).
  privateFile(path);
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${PATIENCE_MS}; BEGIN EXCLUSIVE`);
  } catch (error) {
    database.close();
    if ((Number((error as { errcode?: number }).errcode) & 0xff) !== SQLITE_BUSY) throw error;
    throw new DirectoryInUseError(`${directory} is in use by ${nameIn(holder)}: only one process can use it at a time`, { cause: error });
  }
  try {
    writePrivateFile(holder, `process ${process.pid} on ${hostname()}`);
  } catch {
    // The disk is full. The lock holds all the same; only its message would name another process.
    rmSync(holder, { force: true });
  }
  return { release: () => database.close() };
}

function nameIn(holder: string): string {
  try {
    return readFileSync(holder, 'utf8');
  } catch {
    return 'another process';
  }
}
