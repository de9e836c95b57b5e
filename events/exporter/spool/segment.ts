import type { FileHandle } from 'node:fs/promises';
import { openPrivateFile } from '../../private-files.ts';
import { type Read, readFrames } from './frames.ts';

/** The two calls that fail when a disk is full or broken; replaced in tests. */
export interface Disk {
  /** Bytes written; fewer than given is allowed. */
  write(handle: FileHandle, bytes: Buffer, position: number): Promise<number>;
  sync(handle: FileHandle): Promise<void>;
}

/** The disk of this machine. */
export const realDisk: Disk = {
  write: async (handle, bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
  sync: (handle) => handle.datasync(),
};

/** One append-only file of a spool. What `size` covers is durable. */
export class Segment {
  readonly id: number;
  readonly path: string;
  readonly #disk: Disk;
  readonly #handle: FileHandle;
  size: number;
  /** Facts in it that nobody acknowledged yet. */
  unacked = 0;
  /** Sequence numbers of its facts lie between these. */
  first = Number.POSITIVE_INFINITY;
  last = 0;
  /** The newest time of a counted record in it. */
  countedUntil = Number.NEGATIVE_INFINITY;
  /** Takes no more: its end is not certain. */
  broken = false;

  private constructor(id: number, path: string, disk: Disk, handle: FileHandle, size: number) {
    this.id = id;
    this.path = path;
    this.#disk = disk;
    this.#handle = handle;
    this.size = size;
  }

  static async open(id: number, path: string, disk: Disk, create: boolean): Promise<Segment> {
    const handle = await openPrivateFile(path, create ? 'wx+' : 'r+');
    return new Segment(id, path, disk, handle, (await handle.stat()).size);
  }

  /** Resolves when the bytes are durable. On an error none of them count, and the file is cut back to what did. */
  async append(bytes: Buffer): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += await this.#disk.write(this.#handle, bytes.subarray(done), this.size + done);
      }
    } catch (error) {
      await this.#cutBack();
      throw error;
    }
    try {
      await this.#disk.sync(this.#handle);
    } catch (error) {
      // After a failed sync the kernel may call the lost pages clean: nothing more goes into this file.
      this.broken = true;
      await this.#cutBack();
      throw error;
    }
    this.size += bytes.length;
  }

  /** Frames from `from` to the durable end. */
  read(from = 0): AsyncGenerator<Read> {
    const read = async (position: number, length: number) => {
      const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafe(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    return readFrames(read, from, this.size);
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size);
    await this.#handle.sync();
    this.size = size;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #cutBack(): Promise<void> {
    await this.#handle.truncate(this.size).catch(() => {
      this.broken = true;
    });
  }
}
