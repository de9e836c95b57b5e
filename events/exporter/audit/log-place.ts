import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { LogFile } from './log-file.ts';

/** How far a log was read: kept on disk between starts. */
export const logPlace = z.object({
  inode: z.string(),
  /** Bytes of the file (of its text, when it is compressed) that were handed on; always the end of a line. */
  offset: z.number().int().nonnegative(),
  /** SHA-256 of the last `tailLength` bytes before `offset`: an inode number comes back for another file, and a truncated file grows again. */
  tail: z.string(),
  tailLength: z.number().int().nonnegative(),
  /** Milliseconds: stageTimestamp of the last event read; when there was none, the time reading began. */
  lastAt: z.number(),
  /** The file is a copy of one that was truncated: what was written in between is in neither. */
  copied: z.boolean(),
  /** Something after this time (milliseconds) was lost, and no event after the loss was handed on yet. */
  lostSince: z.number().optional(),
});
export type LogPlace = z.infer<typeof logPlace>;

const TAIL = 1_024;

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The beginning of a file, reached from what is known so far. */
export const beginningOf = (inode: string, known: Pick<LogPlace, 'lastAt' | 'lostSince' | 'copied'>): LogPlace => ({
  ...known,
  inode,
  offset: 0,
  tail: hashOf(Buffer.alloc(0)),
  tailLength: 0,
});

/** The next `length` bytes after a place, and what stands before them; undefined when that is not what was read then. */
export async function readFrom(file: LogFile, place: LogPlace, length: number): Promise<{ tail: Buffer; fresh: Buffer } | undefined> {
  const bytes = await file.read(place.offset - place.tailLength, place.tailLength + length);
  const tail = bytes.subarray(0, place.tailLength);
  return tail.length === place.tailLength && hashOf(tail) === place.tail ? { tail, fresh: bytes.subarray(tail.length) } : undefined;
}

/** The place `count` bytes further on, in what `readFrom` gave for `place`. */
export function advance(place: LogPlace, { tail, fresh }: { tail: Buffer; fresh: Buffer }, count: number): LogPlace {
  const bytes = Buffer.concat([tail, fresh.subarray(Math.max(0, count - TAIL), count)]);
  const kept = bytes.subarray(Math.max(0, bytes.length - TAIL));
  return { ...place, offset: place.offset + count, tail: hashOf(kept), tailLength: kept.length };
}
