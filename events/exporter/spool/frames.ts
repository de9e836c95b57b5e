import { crc32 } from 'node:zlib';

/** One record of a segment: what it is, its bytes, and where it ends in the file. */
export interface Frame {
  kind: number;
  payload: Buffer;
  end: number;
}

/** Frames in order of the file, and stretches in between that hold none: a torn tail, or damage. */
export type Read = { frames: Frame[] } | { damaged: { from: number; to: number } };

/** 0xF5 is never part of UTF-8 text: after damage the next frame is found by it. */
const MAGIC = Buffer.from([0xf5, 0x4b]);
/** Magic (2), kind (1), length of the payload (4), CRC-32 of kind, length and payload (4). */
const HEADER = 11;
const WINDOW = 256 * 1_024;
/** More than any record: a longer length is damage. */
const LONGEST = 64 * 2 ** 20;

/** The bytes of one record. */
export function frame(kind: number, ...parts: Buffer[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(HEADER), ...parts]);
  MAGIC.copy(bytes);
  bytes[2] = kind;
  bytes.writeUInt32LE(bytes.length - HEADER, 3);
  bytes.writeUInt32LE(checksum(bytes), 7);
  return bytes;
}

const checksum = (bytes: Buffer): number => crc32(bytes.subarray(HEADER), crc32(bytes.subarray(2, 7)));

/** Reads the frames between two offsets, a window at a time; whatever stands there, it does not throw by itself. */
export async function* readFrames(
  read: (position: number, length: number) => Promise<Buffer>,
  from: number,
  to: number,
): AsyncGenerator<Read> {
  let damagedFrom: number | undefined;
  for (let at = from, least = 0; at < to; ) {
    const wanted = Math.min(to - at, Math.max(WINDOW, least));
    const bytes = await read(at, wanted);
    const frames: Frame[] = [];
    let next = 0;
    least = 0;
    while (next < bytes.length) {
      const found = frameAt(bytes, next, to - at);
      if (typeof found === 'number') {
        least = found;
        break;
      }
      if (found) {
        if (damagedFrom !== undefined) yield { damaged: { from: damagedFrom, to: at + next } };
        damagedFrom = undefined;
        next += HEADER + found.payload.length;
        frames.push({ ...found, end: at + next });
        continue;
      }
      if (frames.length > 0) yield { frames: frames.splice(0) };
      damagedFrom ??= at + next;
      const candidate = bytes.indexOf(MAGIC, next + 1);
      // The magic may lie across the border of two windows.
      next = candidate >= 0 ? candidate : Math.max(next + 1, at + bytes.length < to ? bytes.length - 1 : bytes.length);
    }
    if (frames.length > 0) yield { frames };
    at += next;
    if (next === 0 && bytes.length < wanted) {
      damagedFrom ??= at;
      break;
    }
  }
  if (damagedFrom !== undefined) yield { damaged: { from: damagedFrom, to } };
}

/** The frame that begins at `start`; the number of bytes that are needed to say; or undefined where there is none. */
function frameAt(bytes: Buffer, start: number, available: number): { kind: number; payload: Buffer } | number | undefined {
  const here = bytes.length - start;
  if (available - start < HEADER) return undefined;
  if (here < HEADER) return HEADER;
  if (bytes[start] !== MAGIC[0] || bytes[start + 1] !== MAGIC[1]) return undefined;
  const length = bytes.readUInt32LE(start + 3);
  if (length > LONGEST || HEADER + length > available - start) return undefined;
  if (HEADER + length > here) return HEADER + length;
  const whole = bytes.subarray(start, start + HEADER + length);
  if (checksum(whole) !== whole.readUInt32LE(7)) return undefined;
  return { kind: whole[2] as number, payload: whole.subarray(HEADER) };
}
