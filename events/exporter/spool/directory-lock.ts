import { readFileSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
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
 * as long as a transaction is open. The file `DIRECTORY.lock` stays; `DIRECTORY.lock-holder` says who has the lock. Throws DirectoryInUseError.
 */
export function lockDirectory(directory: string): DirectoryLock {
  privateDirectory(directory);
  const path = `${realpathSync(directory)}.lock`;
  const holder = `${path}-holder`;
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
  writePrivateFile(holder, `process ${process.pid} on ${hostname()}`);
  return { release: () => database.close() };
}

function nameIn(holder: string): string {
  try {
    return readFileSync(holder, 'utf8');
  } catch {
    return 'another process';
  }
}
