import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import { execInPod, type Pod, type Ran } from './pod-exec.ts';
import { openPortForward, type PodPort } from './port-forward.ts';
import { requestUrl } from './request-url.ts';
import type { Caller } from './upgrade.ts';

/** How to reach one API server, and as whom. */
export interface Connection {
  /** `https://host:port`, with a path where the API has one: `https://host/k8s/clusters/c-1`. */
  server: string;
  /** PEM; the system's roots when absent. */
  ca?: string;
  token?: () => Promise<string>;
  clientCertificate?: { cert: string; key: string };
  /** Acts as this user: one identity per function behind one credential. */
  impersonate?: string;
  /** Told to the API server and so to its audit log. */
  userAgent: string;
}

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With query. */
  path: string;
  body?: unknown;
  contentType?: string;
  /** Which form of the object is wanted: JSON unless it says otherwise. */
  accept?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Asked when the connection is open, directly before the first byte is sent: why it is too late. Then nothing is sent. */
  sendLimit?: (() => string | undefined) | undefined;
}

export interface Answer {
  status: number;
  /** Parsed JSON; the text itself when it is none. */
  body: unknown;
  warnings: string[];
  /** The server's clock, milliseconds since 1970, whole seconds; absent when it does not say. */
  date?: number;
}

/** One keep-alive connection pool to one API server. It decides nothing: reading is `Reader`'s, writing is `execute`'s. */
export class Transport {
  readonly #connection: Connection;
  readonly #agent: Agent;

  constructor(connection: Connection) {
    this.#connection = connection;
    const { ca, clientCertificate } = connection;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16, ...(ca && { ca }), ...clientCertificate });
  }

  /** Sends one request and reads the whole answer. Throws only when no answer came (network, TLS, abort, 30 s of silence), or TooLateError. */
  async send({ method, path, body, contentType = 'application/json', accept, signal, sendLimit }: Request): Promise<Answer> {
    const incoming = await this.#open(method, path, body, contentType, signal, 30_000, accept, sendLimit);
    const text = await readAll(incoming);
    const warning = incoming.headers.warning;
    const date = Date.parse(incoming.headers.date ?? '');
    return {
      ...{ status: incoming.statusCode ?? 0, body: parse(text), warnings: warning === undefined ? [] : [warning].flat() },
      ...(!Number.isNaN(date) && { date }),
    };
  }

  /** Opens a watch or any other long answer. The caller ends it through `signal`, and owns the inactivity limit. `accept` can ask for metadata only. */
  async open(path: string, signal: AbortSignal, accept?: string): Promise<{ status: number; body: Readable }> {
    const incoming = await this.#open('GET', path, undefined, 'application/json', signal, 0, accept);
    return { status: incoming.statusCode ?? 0, body: incoming };
  }

  /** A byte stream to a port of a pod. Throws UpgradeRefusedError, and when no answer came within 10 s. */
  async portForward(target: PodPort): Promise<Duplex> {
    return openPortForward(await this.#caller(), target, 10_000);
  }

  /** Runs one command in a pod. Throws UpgradeRefusedError, and when it has not ended `within` milliseconds. */
  async exec(target: Pod, command: string[], within: number): Promise<Ran> {
    return execInPod(await this.#caller(), target, command, within);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #caller(): Promise<Caller> {
    const { server, ca, clientCertificate } = this.#connection;
    return { server, ca, ...clientCertificate, headers: await this.#identity() };
  }

  async #identity(): Promise<Record<string, string>> {
    const { token, impersonate, userAgent } = this.#connection;
    return {
      'user-agent': userAgent,
      ...(token && { authorization: `Bearer ${await token()}` }),
      ...(impersonate && { 'impersonate-user': impersonate }),
    };
  }

  async #open(
    method: string,
    path: string,
    body: unknown,
    type: string,
    signal: AbortSignal | undefined,
    timeout: number,
    accept = 'application/json',
    sendLimit?: Request['sendLimit'],
  ) {
    const url = requestUrl(this.#connection.server, path);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      accept,
      ...(await this.#identity()),
      ...(payload !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(payload) }),
    };
    return new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: this.#agent, ...(signal && { signal }) }, resolve);
      if (timeout > 0)
        outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`${method} ${path}: no answer for ${timeout / 1000} s`)));
      outgoing.on('error', reject);
      if (sendLimit) whenOpen(outgoing, () => endInTime(outgoing, payload, sendLimit));
      else outgoing.end(payload);
    });
  }
}

/** Nothing was sent: when the connection was open it was too late (see `Request.sendLimit`). */
export class TooLateError extends Error {
  override name = 'TooLateError';
  /** Nothing left this process (see `wasNotSent`). */
  readonly sent = false;
}

/** Until `end` nothing of a request leaves this process: a process that was stopped while it connected asks again here. */
function endInTime(outgoing: ClientRequest, payload: string | undefined, sendLimit: () => string | undefined): void {
  const late = sendLimit();
  if (late === undefined) outgoing.end(payload);
  else outgoing.destroy(new TooLateError(late));
}

function whenOpen(outgoing: ClientRequest, open: () => void): void {
  outgoing.once('socket', (socket) => (socket.connecting ? socket.once('secureConnect', open) : open()));
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
