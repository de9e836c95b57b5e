import { open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { privateDirectory } from '../../private-files.ts';
import { Ranges } from './ranges.ts';
import { type Disk, Segment } from './segment.ts';
import { ACK, COUNTED, FACT, readAck, readAt, sequenceOf } from './spool-records.ts';

/** Where segments live, and when a new one begins. */
export interface SegmentsOptions {
  directory: string;
  segmentBytes: number;
  disk: Disk;
  onProblem(message: string): void;
}

const NAME = /^(\d{10})\.spool$/;

/** The segments of one spool, oldest first, and which facts in them are acknowledged. */
export class Segments {
  readonly #options: SegmentsOptions;
  readonly #acked = new Ranges();
  readonly #deleting = new Set<Promise<void>>();
  #list: Segment[] = [];
  #newestId = 0;
  /** The highest number any fact ever had here. */
  newest = 0;
  /** Places and facts that could not be read. */
  damaged = 0;

  private constructor(options: SegmentsOptions) {
    this.#options = options;
  }

  /** Reads what is there, and cuts off what a dying process left half written. */
  static async open(options: SegmentsOptions): Promise<Segments> {
    const segments = new Segments(options);
    privateDirectory(options.directory);
    const ids = (await readdir(options.directory)).flatMap((name) => (NAME.test(name) ? [Number.parseInt(name, 10)] : []));
    for (const id of ids.sort((a, b) => a - b)) {
      segments.#newestId = id;
      segments.#list.push(await Segment.open(id, join(options.directory, nameOf(id)), options.disk, false));
    }
    await segments.#recover();
    return segments;
  }

  get bytes(): number {
    return this.#list.reduce((sum, { size }) => sum + size, 0);
  }

  get waiting(): number {
    return this.#list.reduce((sum, { unacked }) => sum + unacked, 0);
  }

  get all(): Segment[] {
    return [...this.#list];
  }

  /** The oldest one, if no fact would go with it. */
  get disposable(): Segment | undefined {
    return this.#list.length > 1 && this.#list[0]?.unacked === 0 ? this.#list[0] : undefined;
  }

  isAcked = (sequence: number): boolean => this.#acked.has(sequence);

  acknowledge(sequence: number): void {
    this.#acked.add(sequence);
    const segment = this.#list.find(({ first, last }) => first <= sequence && sequence <= last);
    if (segment) segment.unacked--;
  }

  /** The segment to append to. Rejects when a new one cannot be made. */
  async active(): Promise<Segment> {
    const { directory, segmentBytes, disk } = this.#options;
    const last = this.#list.at(-1);
    if (last && !last.broken && last.size < segmentBytes) return last;
    const id = ++this.#newestId;
    const segment = await Segment.open(id, join(directory, nameOf(id)), disk, true);
    this.#list.push(segment);
    if (last?.size === 0) this.#delete(last);
    await syncDirectory(directory).catch((error) => {
      this.#delete(segment);
      throw error;
    });
    return segment;
  }

  /** Deletes `disposable`: only ever the oldest, because acknowledgements of a segment may stand in a later one. */
  dispose(): void {
    if (this.disposable) this.#delete(this.disposable);
  }

  /** Facts that were there when the segment was written, and cannot be read any more. */
  giveUp(segment: Segment): void {
    this.damaged += segment.unacked;
    this.#options.onProblem(`${segment.path}: ${segment.unacked} facts cannot be read any more and are lost: check the disk.`);
    segment.unacked = 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.#deleting);
    for (const segment of this.#list.splice(0)) await segment.close();
  }

  #delete(segment: Segment): void {
    this.#list = this.#list.filter((one) => one !== segment);
    this.#acked.forgetBelow(Math.min(this.newest, ...this.#list.map(({ first }) => first)));
    const gone = this.#unlink(segment).catch((error: Error) =>
      this.#options.onProblem(`${segment.path} was not deleted: ${error.message}`),
    );
    this.#deleting.add(gone);
    void gone.then(() => this.#deleting.delete(gone));
  }

  async #unlink(segment: Segment): Promise<void> {
    await segment.close();
    await unlink(segment.path);
    await syncDirectory(this.#options.directory);
  }

  async #recover(): Promise<void> {
    const facts = new Map<Segment, number[]>();
    for (const segment of this.#list) facts.set(segment, await this.#scan(segment));
    for (const [segment, sequences] of facts) segment.unacked = sequences.filter((sequence) => !this.#acked.has(sequence)).length;
    for (const segment of this.all) if (segment.size === 0) this.#delete(segment);
    const last = this.#list.at(-1);
    // Never append behind what another process wrote: its end may be less certain than it looks.
    if (last) last.broken = true;
  }

  async #scan(segment: Segment): Promise<number[]> {
    const facts: number[] = [];
    for await (const read of segment.read()) {
      if ('damaged' in read) {
        await this.#repair(segment, read.damaged);
        continue;
      }
      for (const { kind, payload } of read.frames) {
        if (kind === FACT) facts.push(sequenceOf(payload));
        else if (kind === COUNTED) segment.countedUntil = Math.max(segment.countedUntil, readAt(payload));
        else if (kind === ACK) for (const [from, to] of readAck(payload)) this.#acked.add(from, to);
      }
    }
    segment.first = facts.reduce((least, sequence) => Math.min(least, sequence), segment.first);
    segment.last = facts.reduce((most, sequence) => Math.max(most, sequence), segment.last);
    this.newest = Math.max(this.newest, segment.last, this.#acked.pairs().at(-1)?.[1] ?? 0);
    return facts;
  }

  async #repair(segment: Segment, { from, to }: { from: number; to: number }): Promise<void> {
    const isTail = to === segment.size && segment === this.#list.findLast(({ size }) => size > 0);
    if (isTail) await segment.truncate(from);
    else this.damaged++;
    this.#options.onProblem(
      isTail
        ? `${segment.path}: the last ${to - from} bytes were half written when the exporter died, and are cut off; nobody was told that they are kept.`
        : `${segment.path}: ${to - from} bytes at ${from} are damaged and skipped: check the disk.`,
    );
  }
}

const nameOf = (id: number): string => `${String(id).padStart(10, '0')}.spool`;

/** Makes the creation or deletion of a file in it durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
