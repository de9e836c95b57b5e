import { copyFile, type FileHandle, open, rename, truncate } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** How many lines come between the copy and the truncation. */
const LINES_AFTER_COPY = 5;

/** How the relayed log is rotated. */
export type Rotation = 'rename' | 'copytruncate';

/** Passes the API server's audit log on into a second one, as a log of another rotation: in torn lines, and rotated in the middle of them. */
export class LogRelay {
  readonly #from: string;
  readonly #to: string;
  readonly #rotation: Rotation;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #wanted = false;
  #untruncated = 0;
  rotations = 0;

  /** `from` is read from its end on. */
  constructor(from: string, to: string, rotation: Rotation) {
    this.#from = from;
    this.#to = to;
    this.#rotation = rotation;
  }

  async start(): Promise<void> {
    const source = await open(this.#from);
    const { size } = await source.stat();
    const sink = await open(this.#to, 'a');
    this.#loop = this.#run(source, size, sink);
  }

  /** Rotates at the next line. */
  rotate(): void {
    this.#wanted = true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(source: FileHandle, from: number, first: FileHandle): Promise<void> {
    let sink = first;
    let position = from;
    let rest = '';
    while (!this.#stopping.signal.aborted) {
      const { bytesRead, buffer } = await source.read(Buffer.allocUnsafe(65_536), 0, 65_536, position);
      position += bytesRead;
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) sink = await this.#write(sink, `${line}\n`);
      if (bytesRead === 0) await delay(20);
    }
    await source.close();
    await sink.close();
  }

  /** A line in two parts; a wanted rotation falls between them. */
  async #write(sink: FileHandle, line: string): Promise<FileHandle> {
    const middle = Math.floor(Math.random() * line.length);
    await sink.appendFile(line.slice(0, middle), 'latin1');
    const isRotating = this.#wanted;
    this.#wanted = false;
    const old = `${this.#to}.${this.rotations + 1}`;
    if (isRotating) {
      await delay(150);
      if (this.#rotation === 'rename') await rename(this.#to, old);
      else await copyFile(this.#to, old);
      this.rotations++;
      this.#untruncated = LINES_AFTER_COPY;
    }
    await sink.appendFile(line.slice(middle), 'latin1');
    if (this.#rotation === 'copytruncate') {
      // What was written since the copy is in neither file: every rotation of this kind can lose it.
      if (this.#untruncated > 0 && --this.#untruncated === 0) await truncate(this.#to);
      return sink;
    }
    if (!isRotating) return sink;
    await sink.close();
    return open(this.#to, 'a');
  }
}
