import type { Envelope } from '../../fact.ts';
import { frame } from './frames.ts';
import type { SpoolEntry } from './spool.ts';

/** Kinds of frames in a segment. */
export const FACT = 1;
export const COUNTED = 2;
export const ACK = 3;

/** Numbers that lead a payload: 6 bytes are enough for milliseconds since 1970 and for sequence numbers. */
const NUMBER = 6;

function numbered(number: number, json: unknown): Buffer {
  const text = JSON.stringify(json);
  const bytes = Buffer.allocUnsafe(NUMBER + Buffer.byteLength(text));
  bytes.writeUIntLE(Math.max(0, number), 0, NUMBER);
  bytes.write(text, NUMBER);
  return bytes;
}

export const factFrame = (sequence: number, fact: Envelope): Buffer => frame(FACT, numbered(sequence, fact));
export const countedFrame = ({ at, entry }: Extract<SpoolEntry, { kind: 'counted' }>): Buffer => frame(COUNTED, numbered(at, entry));
export const ackFrame = (ranges: [number, number][]): Buffer => frame(ACK, Buffer.from(JSON.stringify(ranges)));

export const sequenceOf = (payload: Buffer): number => payload.readUIntLE(0, NUMBER);
export const readAt = sequenceOf;
export const readFact = (payload: Buffer): Envelope => JSON.parse(payload.toString('utf8', NUMBER));
export const readCounted = (payload: Buffer): unknown => JSON.parse(payload.toString('utf8', NUMBER));
export const readAck = (payload: Buffer): [number, number][] => JSON.parse(payload.toString('utf8'));
