/** Big endian, as everything in ZooKeeper's protocol. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

/** Bytes with their length before them. */
export const buffer = (bytes: Buffer): Buffer => Buffer.concat([int32(bytes.length), bytes]);

/** UTF-8 with its length in bytes before it. */
export const text = (value: string): Buffer => buffer(Buffer.from(value, 'utf8'));

/** Reads one frame from its begin. Throws RangeError past the end. */
export class Reader {
  readonly #frame: Buffer;
  #at = 0;

  constructor(frame: Buffer) {
    this.#frame = frame;
  }

  int32(): number {
    this.#at += 4;
    return this.#frame.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#frame.readBigInt64BE(this.#at - 8);
  }

  /** A copy; empty where ZooKeeper has null. */
  buffer(): Buffer {
    const length = Math.max(0, this.int32());
    if (this.#at + length > this.#frame.length) throw new RangeError('a length points past the end of the frame');
    this.#at += length;
    return Buffer.from(this.#frame.subarray(this.#at - length, this.#at));
  }
}
