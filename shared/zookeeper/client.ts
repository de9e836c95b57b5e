import type { Duplex } from 'node:stream';
import { buffer, int32, int64, Reader, text } from './wire.ts';

/** One node of ZooKeeper's tree with what its Stat says. */
export interface Znode {
  data: Buffer;
  /** The transaction that created it, `0x2a`: a node that was re-created has another. */
  czxid: string;
  /** Rises with every write of the data; a re-created node starts at 0 again. */
  version: number;
  /** Milliseconds. */
  ctime: number;
  /** Milliseconds. */
  mtime: number;
  /** The session it lives with, `0x…`; `0x0` when it outlives every session. */
  ephemeralOwner: string;
  children: number;
}

/** ZooKeeper answered a request with an error code. */
export class ZookeeperError extends Error {
  override name = 'ZookeeperError';
  readonly code: number;

  constructor(what: string, code: number) {
    super(`ZooKeeper answered ${what} with ${NAMES[code] ?? 'error'} (${code})`);
    this.code = code;
  }
}

export const NO_NODE = -101;
export const NO_AUTH = -102;
export const BAD_VERSION = -103;
export const NODE_EXISTS = -110;
const NAMES: Record<number, string> = {
  [NO_NODE]: 'NoNode',
  [NO_AUTH]: 'NoAuth',
  [BAD_VERSION]: 'BadVersion',
  [NODE_EXISTS]: 'NodeExists',
};
const CREATE = 1;
const DELETE = 2;
const GET_DATA = 4;
const GET_CHILDREN = 8;
const SYNC = 9;
const CLOSE = -11;
/** ZooKeeper takes and gives 1 MiB a node unless it is told otherwise. */
const LONGEST = 4 << 20;

interface Pending {
  resolve(reply: Reader): void;
  reject(error: Error): void;
}

/** One session over any byte stream. Nothing waits longer than `within` milliseconds: then the stream is destroyed, and every call fails. */
export class ZookeeperSession {
  readonly #stream: Duplex;
  readonly #within: number;
  readonly #pending = new Map<number | 'connect', Pending>();
  #received = Buffer.alloc(0);
  #xid = 0;
  #failure: Error | undefined;

  private constructor(stream: Duplex, within: number) {
    this.#stream = stream;
    this.#within = within;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', (error) => this.#fail(error));
    stream.on('close', () => this.#fail(new Error('ZooKeeper closed the connection')));
    stream.on('end', () => this.#fail(new Error('ZooKeeper closed the connection')));
    if (stream.destroyed) this.#fail(stream.errored ?? new Error('the connection to ZooKeeper is closed'));
  }

  /** Opens a session of `lifetime` milliseconds after its last request. */
  static async open(stream: Duplex, within: number, lifetime = 10_000): Promise<ZookeeperSession> {
    const session = new ZookeeperSession(stream, within);
    const hello = [int32(0), int64(0n), int32(lifetime), int64(0n), buffer(Buffer.alloc(16)), Buffer.of(0)];
    const reply = await session.#exchange('connect', hello, 'the connect request');
    reply.int32();
    if (reply.int32() <= 0) throw session.#fail(new Error('ZooKeeper refused the session'));
    return session;
  }

  /** One request and its reply. Throws ZookeeperError for an error code. */
  call(opcode: number, payload: Buffer[], what: string): Promise<Reader> {
    this.#xid += 1;
    return this.#exchange(this.#xid, [int32(this.#xid), int32(opcode), ...payload], what);
  }

  /** Ends the session, so that nothing of it is left on the server, and the stream. */
  async close(): Promise<void> {
    if (!this.#failure) await this.call(CLOSE, [], 'close').catch(() => undefined);
    this.#fail(new Error('the session was closed'));
  }

  #exchange(key: number | 'connect', body: Buffer[], what: string): Promise<Reader> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      const silent = new Error(`ZooKeeper did not answer ${what} within ${this.#within / 1_000} s`);
      const timer = setTimeout(() => this.#fail(silent), this.#within);
      const settle = <T>(then: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          this.#pending.delete(key);
          then(value);
        };
      };
      const read = (reply: Reader): void => {
        if (key === 'connect') {
          resolve(reply);
          return;
        }
        reply.int64();
        const code = reply.int32();
        if (code === 0) resolve(reply);
        else reject(new ZookeeperError(what, code));
      };
      this.#pending.set(key, { resolve: settle(read), reject: settle(reject) });
      this.#stream.write(buffer(Buffer.concat(body)));
    });
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    try {
      while (this.#received.length >= 4) {
        const length = this.#received.readInt32BE(0);
        if (length < 0 || length > LONGEST) throw new Error(`a frame of ${length} bytes: is this ZooKeeper?`);
        if (this.#received.length < 4 + length) return;
        const reply = new Reader(this.#received.subarray(4, 4 + length));
        this.#received = this.#received.subarray(4 + length);
        const key = this.#pending.has('connect') ? 'connect' : reply.int32();
        this.#pending.get(key)?.resolve(reply);
      }
    } catch (error) {
      this.#fail(new Error(`ZooKeeper's answer cannot be read: ${(error as Error).message}`));
    }
  }

  #fail(error: Error): Error {
    this.#failure ??= error;
    this.#stream.destroy();
    for (const { reject } of [...this.#pending.values()]) reject(this.#failure);
    return error;
  }
}

/** The node at `path` as the leader has it now; undefined when ZooKeeper says that there is none. A follower alone may answer late: it is synced first. */
export async function readZnode(session: ZookeeperSession, path: string): Promise<Znode | undefined> {
  await session.call(SYNC, [text(path)], `sync ${path}`);
  const reply = await session.call(GET_DATA, [text(path), Buffer.of(0)], `get ${path}`).catch(absent);
  if (!reply) return undefined;
  const data = reply.buffer();
  const czxid = reply.int64();
  reply.int64();
  const [ctime, mtime] = [Number(reply.int64()), Number(reply.int64())];
  const version = reply.int32();
  reply.int32();
  reply.int32();
  const owner = reply.int64();
  reply.int32();
  const children = reply.int32();
  return { data, czxid: hex(czxid), version, ctime, mtime, ephemeralOwner: hex(owner), children };
}

/** The names below `path`; undefined when there is no such node. */
export async function readChildren(session: ZookeeperSession, path: string): Promise<string[] | undefined> {
  const reply = await session.call(GET_CHILDREN, [text(path), Buffer.of(0)], `children of ${path}`).catch(absent);
  return reply && Array.from({ length: reply.int32() }, () => reply.buffer().toString('utf8')).sort();
}

/** Deletes the node if its data still has this version, and it has no children. Throws ZookeeperError: NoNode, BadVersion. */
export async function deleteZnode(session: ZookeeperSession, path: string, version: number): Promise<void> {
  await session.call(DELETE, [text(path), int32(version)], `delete ${path}`);
}

/** Creates a lasting node that everybody may change (Kafka's own are so). Throws ZookeeperError: NodeExists. */
export async function createZnode(session: ZookeeperSession, path: string, data: Buffer): Promise<void> {
  const everybody = [int32(1), int32(31), text('world'), text('anyone')];
  await session.call(CREATE, [text(path), buffer(data), ...everybody, int32(0)], `create ${path}`);
}

function absent(error: Error): undefined {
  if (error instanceof ZookeeperError && error.code === NO_NODE) return undefined;
  throw error;
}

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;
