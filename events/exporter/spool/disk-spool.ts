import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { Ranges } from './ranges.ts';
import { type Disk, realDisk } from './segment.ts';
import { Segments } from './segments.ts';
import { type PendingFact, READ_AHEAD, type Spool, type SpoolEntry, SpoolFullError } from './spool.ts';
import { ackFrame, COUNTED, countedFrame, FACT, factFrame, readAt, readCounted, readFact, sequenceOf } from './spool-records.ts';

/** How a spool on disk is set up. Bytes and milliseconds. */
export interface DiskSpoolOptions {
  directory: string;
  /** Most bytes of all segments. Default 512 MiB. */
  cap?: number;
  /** A segment of this size is followed by a new one. Default 8 MiB, or a sixteenth of the cap: only whole segments can be deleted. */
  segmentBytes?: number;
  /** How long counted records are kept: the longest window, and what may come late. */
  keep: number;
  onProblem(message: string): void;
  /** Counted records up to this time had to make room: a restart cannot rebuild the windows that hold them. */
  onForgotten?(until: number): void;
  disk?: Disk;
}

const DEFAULT_CAP = 512 * 2 ** 20;
/** One fsync for so much at most: who waits behind a flood waits for a part of it. */
const BATCH = 4 * 2 ** 20;
/** Of the cap: room for acknowledgements when facts have filled the rest. */
const RESERVED = 1 / 16;

interface Waiting {
  bytes: Buffer;
  facts: number[];
  countedUntil: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** A spool in one directory, which it locks for its process: append-only segments, one fsync for everything that waits. */
export class DiskSpool implements Spool {
  readonly #segments: Segments;
  readonly #cap: number;
  readonly #options: DiskSpoolOptions;
  /** Acknowledged, and not yet on disk. */
  #acks = new Ranges();
  #queue: Waiting[] = [];
  #queued = 0;
  #committing: Promise<void> | undefined;
  /** Everything before is acknowledged. */
  #cursor = { segment: 0, offset: 0 };

  readonly #lock: DirectoryLock;

  private constructor(options: DiskSpoolOptions, segments: Segments, lock: DirectoryLock) {
    this.#lock = lock;
    this.#options = options;
    this.#segments = segments;
    this.#cap = options.cap ?? DEFAULT_CAP;
  }

  /** Opens the directory; damage there is reported and counted, never fatal. Rejects with DirectoryInUseError when another process has it. */
  static async open(options: DiskSpoolOptions): Promise<DiskSpool> {
    const { directory, cap = DEFAULT_CAP, segmentBytes = Math.min(8 * 2 ** 20, cap / 16), disk = realDisk, onProblem } = options;
    const lock = lockDirectory(directory);
    try {
      return new DiskSpool(options, await Segments.open({ directory, segmentBytes, disk, onProblem }), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  append(entries: SpoolEntry[]): Promise<void> {
    const facts: number[] = [];
    const counted: Buffer[] = [];
    const frames: Buffer[] = [];
    let countedUntil = Number.NEGATIVE_INFINITY;
    let sequence = this.#segments.newest;
    for (const entry of entries) {
      if (entry.kind === 'fact') {
        facts.push(++sequence);
        frames.push(factFrame(sequence, entry.fact));
      } else {
        countedUntil = Math.max(countedUntil, entry.at);
        counted.push(countedFrame(entry));
      }
    }
    // Facts first: if only a part survives a crash, the source sends the rest again, and it leads to the same facts.
    const bytes = Buffer.concat([...frames, ...counted]);
    if (bytes.length === 0) return Promise.resolve();
    if (!this.#hasRoom(bytes.length)) return Promise.reject(new SpoolFullError(this.#held(), this.#cap));
    this.#segments.newest = sequence;
    this.#queued += bytes.length;
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes, facts, countedUntil, resolve, reject });
      this.#commit();
    });
  }

  acknowledge(sequences: number[]): void {
    for (const sequence of sequences) {
      if (this.#segments.isAcked(sequence)) continue;
      this.#segments.acknowledge(sequence);
      this.#acks.add(sequence);
    }
    this.#commit();
  }

  async oldest(limit: number): Promise<PendingFact[]> {
    const found: PendingFact[] = [];
    let size = 0;
    for (const segment of this.#segments.all) {
      if (segment.unacked === 0 || segment.id < this.#cursor.segment) continue;
      const end = segment.size;
      for await (const read of segment.read(segment.id === this.#cursor.segment ? this.#cursor.offset : 0)) {
        for (const one of 'frames' in read ? read.frames : []) {
          const sequence = one.kind === FACT ? sequenceOf(one.payload) : 0;
          if (sequence > 0 && !this.#segments.isAcked(sequence)) {
            if (found.length === limit || size > READ_AHEAD) return found;
            found.push({ sequence, fact: readFact(one.payload) });
            size += one.payload.length;
          } else if (found.length === 0) this.#cursor = { segment: segment.id, offset: one.end };
        }
      }
      if (found.length === 0 && segment.size === end) this.#segments.giveUp(segment);
    }
    return found;
  }

  isFull(): boolean {
    return this.#held() >= this.#room() && !this.#segments.disposable;
  }

  async *restore(): AsyncGenerator<SpoolEntry> {
    for (const segment of this.#segments.all) {
      for await (const read of segment.read()) {
        for (const { kind, payload } of 'frames' in read ? read.frames : []) {
          if (kind === FACT) yield { kind: 'fact', fact: readFact(payload) };
          else if (kind === COUNTED) yield { kind: 'counted', at: readAt(payload), entry: readCounted(payload) };
        }
      }
    }
  }

  expire(now: number): void {
    while ((this.#segments.disposable?.countedUntil ?? Number.POSITIVE_INFINITY) < now - this.#options.keep) this.#segments.dispose();
    this.#commit();
  }

  stats() {
    const { bytes, waiting, damaged } = this.#segments;
    return { bytes, waiting, cap: this.#cap, damaged };
  }

  async close(): Promise<void> {
    this.#commit();
    await this.#committing;
    await this.#segments.close().finally(() => this.#lock.release());
  }

  #held = (): number => this.#segments.bytes + this.#queued;
  #room = (): number => this.#cap * (1 - RESERVED);

  /** Windows in memory outlive their records on disk: those may go when room is short, as long as no fact goes with them. */
  #hasRoom(bytes: number): boolean {
    while (this.#held() + bytes > this.#room() && this.#segments.disposable) {
      const until = this.#segments.disposable.countedUntil;
      this.#segments.dispose();
      if (until > 0) this.#options.onForgotten?.(until);
    }
    return this.#held() + bytes <= this.#room();
  }

  #commit(): void {
    if (this.#committing) return;
    this.#committing = this.#write().finally(() => {
      this.#committing = undefined;
      if (this.#queue.length > 0) this.#commit();
    });
  }

  async #write(): Promise<void> {
    // Everybody of the same moment shares one fsync.
    await new Promise(setImmediate);
    while (this.#queue.length > 0 || !this.#acks.isEmpty) {
      const batch = this.#nextBatch();
      const acks = this.#acks;
      this.#acks = new Ranges();
      try {
        const segment = await this.#segments.active();
        await segment.append(Buffer.concat([...batch.map(({ bytes }) => bytes), ...(acks.isEmpty ? [] : [ackFrame(acks.pairs())])]));
        for (const { facts, countedUntil, resolve } of batch) {
          segment.unacked += facts.length;
          segment.first = Math.min(segment.first, facts[0] ?? segment.first);
          segment.last = Math.max(segment.last, facts.at(-1) ?? 0);
          segment.countedUntil = Math.max(segment.countedUntil, countedUntil);
          resolve();
        }
      } catch (error) {
        for (const [from, to] of acks.pairs()) this.#acks.add(from, to);
        for (const { reject } of batch) reject(error);
        // Acknowledgements alone wait for the next append, or `expire`, to try again.
        if (this.#queue.length === 0) return;
      } finally {
        for (const { bytes } of batch) this.#queued -= bytes.length;
      }
    }
  }

  #nextBatch(): Waiting[] {
    let size = 0;
    const end = this.#queue.findIndex(({ bytes }, index) => {
      size += bytes.length;
      return index > 0 && size > BATCH;
    });
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end);
  }
}
