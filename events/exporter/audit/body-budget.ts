/** A body that comes in. */
export interface Body {
  /** Takes a chunk; it or another body may be refused for lack of room. */
  add(chunk: Buffer): void;
  readonly size: number;
  /** It was refused, and what came of it is gone. */
  readonly isRefused: boolean;
  /** All of it. From now on it is not refused any more. */
  complete(): Buffer;
  /** Gives its room back. */
  close(): void;
}

/** Above this, a body is large: all large ones together get half of the room, so that ordinary batches always have the other half. */
const LARGE_BYTES = 4 * 2 ** 20;

/** The memory that bodies take together. What a sender only announces takes none; when there is no room, the body that has been coming longest is refused. */
export class BodyBudget {
  readonly #most: number;
  /** Bodies that are still coming, the oldest first. */
  readonly #coming = new Set<Part>();
  #held = 0;
  #heldByLarge = 0;

  /** `most`: bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** `refuse` answers the sender. */
  open(refuse: () => void): Body {
    const part = new Part(
      refuse,
      (bytes, isLarge) => this.#hold(bytes, isLarge),
      () => this.#makeRoom(),
      () => this.#coming.delete(part),
    );
    this.#coming.add(part);
    return part;
  }

  #hold(bytes: number, isLarge: boolean): void {
    this.#held += bytes;
    if (isLarge) this.#heldByLarge += bytes;
  }

  #makeRoom(): void {
    for (const part of this.#coming) {
      const isLargeFull = this.#heldByLarge > this.#most / 2;
      if (this.#held <= this.#most && !isLargeFull) return;
      if (this.#held > this.#most || part.isLarge) part.refuse();
    }
  }
}

class Part implements Body {
  readonly #answer: () => void;
  readonly #hold: (bytes: number, isLarge: boolean) => void;
  readonly #makeRoom: () => void;
  readonly #arrived: () => void;
  #chunks: Buffer[] = [];
  #held = 0;
  size = 0;
  isRefused = false;
  isLarge = false;

  constructor(answer: () => void, hold: (bytes: number, isLarge: boolean) => void, makeRoom: () => void, arrived: () => void) {
    this.#answer = answer;
    this.#hold = hold;
    this.#makeRoom = makeRoom;
    this.#arrived = arrived;
  }

  add(chunk: Buffer): void {
    if (this.isRefused) return;
    this.#chunks.push(chunk);
    this.size += chunk.length;
    this.#take(chunk.length);
    this.#makeRoom();
  }

  refuse(): void {
    this.isRefused = true;
    this.close();
    this.#answer();
  }

  complete(): Buffer {
    this.#arrived();
    const body = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return body;
  }

  close(): void {
    this.#arrived();
    this.#chunks = [];
    this.#hold(-this.#held, this.isLarge);
    this.#held = 0;
  }

  #take(bytes: number): void {
    const becomesLarge = !this.isLarge && this.size > LARGE_BYTES;
    if (becomesLarge) {
      this.#hold(-this.#held, false);
      this.isLarge = true;
      this.#hold(this.#held, true);
    }
    this.#held += bytes;
    this.#hold(bytes, this.isLarge);
  }
}
