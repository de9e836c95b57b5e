import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

/** An open file of a log. It stays the same file however it is renamed meanwhile. */
export interface LogFile {
  inode: string;
  /** Bytes from a position of the (uncompressed) text; fewer at its end. They are valid until the next read. A compressed file is read forward only. */
  read(at: number, length: number): Promise<Buffer>;
  /** Size and time of change: while it stays the same, there is nothing new to read. */
  stamp(): Promise<{ size: number; changedAt: number; text: string }>;
  /** Whether it could not be unpacked to its end; then it ends where it could. */
  damaged(): boolean;
  close(): Promise<void>;
}

/** Opens a log file, compressed when its name ends in `.gz`. Rejects when it cannot be opened. */
export async function openLogFile(path: string): Promise<LogFile> {
  const handle = await open(path, 'r');
  try {
    const { ino } = await handle.stat({ bigint: true });
    const reading = path.endsWith('.gz') ? forwardReader(path) : randomReader(handle);
    const close = async (): Promise<void> => {
      reading.close();
      await handle.close();
    };
    return { inode: `${ino}`, read: reading.read, damaged: reading.damaged, stamp: () => stampOf(handle), close };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function stampOf(handle: FileHandle): Promise<{ size: number; changedAt: number; text: string }> {
  const { size, mtimeNs, mtimeMs } = await handle.stat({ bigint: true });
  return { size: Number(size), changedAt: Number(mtimeMs), text: `${size} ${mtimeNs}` };
}

interface Reading {
  read(at: number, length: number): Promise<Buffer>;
  damaged(): boolean;
  close(): void;
}

/** What is read at once in normal times; longer reads are rare and get a buffer of their own. */
const USUAL = 1_056_768;

function randomReader(handle: FileHandle): Reading {
  const usual = Buffer.allocUnsafeSlow(USUAL);
  const read = async (at: number, length: number): Promise<Buffer> => {
    const buffer = length > USUAL ? Buffer.allocUnsafeSlow(length) : usual;
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(buffer, filled, length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  };
  return { read, damaged: () => false, close: () => {} };
}

/** Unpacks as far as asked, and keeps only what a later read may still want: nothing before the last one's beginning. */
function forwardReader(path: string): Reading {
  const source = createReadStream(path);
  const unpacked = createGunzip();
  source.on('error', (error) => unpacked.destroy(error));
  const chunks = source.pipe(unpacked)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held: Buffer = Buffer.alloc(0);
  let start = 0;
  let damage: unknown;
  const drop = (to: number): void => {
    const count = Math.min(Math.max(0, to - start), held.length);
    held = held.subarray(count);
    start += count;
  };
  const read = async (at: number, length: number): Promise<Buffer> => {
    if (at < start) throw new Error(`${path} is compressed and already read past byte ${at}.`);
    drop(at);
    const pieces = [held];
    for (let end = start + held.length; end < at + length; ) {
      const { value, done } = await chunks.next().catch((error: unknown) => {
        damage = error;
        return { value: undefined, done: true as const };
      });
      if (done) break;
      pieces.push(value);
      end += value.length;
      if (end <= at) {
        // Not asked for: this lets a file of any size pass.
        start = end;
        pieces.length = 0;
      }
    }
    held = Buffer.concat(pieces);
    drop(at);
    return held.subarray(0, length);
  };
  const close = (): void => {
    source.destroy();
    unpacked.destroy();
  };
  return { read, damaged: () => damage !== undefined, close };
}
