import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** One port inside one pod. */
export interface PodPort {
  namespace: string;
  pod: string;
  port: number;
}

/** Who asks, and where. */
export interface Caller {
  /** `https://host:port` */
  server: string;
  headers: Record<string, string>;
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

/** The API server refused before the upgrade; `status` is the HTTP status. */
export class PortForwardRefusedError extends Error {
  override name = 'PortForwardRefusedError';
  readonly status: number;

  constructor({ namespace, pod }: PodPort, status: number, body: string) {
    super(`port-forward to pods ${namespace}/${pod} was answered ${status}: ${messageOf(body)}`);
    this.status = status;
  }
}

const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
/** Each of the two channels begins with the port, two bytes. */
const PREFIX = 2;

/** Opens a byte stream to a port of a pod, from inside the pod, through the API server. Throws after `within` milliseconds, and with the refusal. */
export async function openPortForward({ server, headers, ca, cert, key }: Caller, target: PodPort, within: number): Promise<Duplex> {
  const { namespace, pod, port } = target;
  const url = new URL(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`, server);
  url.searchParams.set('ports', `${port}`);
  // Loaded when it is needed: one remediation of all opens ports, and loading it takes a tenth of a cold start.
  const { default: Socket } = await import('ws');
  const socket = new Socket(url, [PROTOCOL], {
    ...{ headers, perMessageDeflate: false, followRedirects: false, maxPayload: 4 << 20 },
    ...(ca && { ca }),
    ...(cert && { cert, key }),
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
      socket.terminate();
    };
    const silent = `port-forward to pods ${namespace}/${pod} was not answered within ${within / 1_000} s`;
    const timer = setTimeout(() => fail(new Error(silent)), within);
    socket.on('error', fail);
    socket.on('unexpected-response', (_, response) => {
      void readBody(response).then((body) => fail(new PortForwardRefusedError(target, response.statusCode ?? 0, body)));
    });
    // At once, not a tick later: the first frames may come with the answer to the upgrade.
    socket.on('open', () => {
      clearTimeout(timer);
      resolve(new ForwardedPort(socket, target));
    });
  });
}

/** Both directions of one forwarded port. It ends with an error when the pod's side says one: a port nobody listens on, a reset. */
class ForwardedPort extends Duplex {
  readonly #socket: WebSocket;
  readonly #target: PodPort;
  readonly #skip = new Map<number, number>();

  constructor(socket: WebSocket, target: PodPort) {
    super();
    this.#socket = socket;
    this.#target = target;
    // Its reader may come a moment later; it finds the error in `errored`.
    this.on('error', () => undefined);
    socket.on('message', (data) => this.#take(asBuffer(data)));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.push(null));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(DATA), chunk]), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }

  #take(frame: Buffer): void {
    const channel = frame[0] ?? DATA;
    const skip = Math.min(this.#skip.get(channel) ?? PREFIX, frame.length - 1);
    this.#skip.set(channel, (this.#skip.get(channel) ?? PREFIX) - skip);
    const data = frame.subarray(1 + skip);
    if (data.length === 0) return;
    const { namespace, pod, port } = this.#target;
    if (channel !== DATA) this.destroy(new Error(`port ${port} of pods ${namespace}/${pod}: ${data.toString('utf8').trim()}`));
    else if (!this.push(data)) this.#socket.pause();
  }
}

function asBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

async function readBody(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) if (text.length < 65_536) text += `${chunk}`;
  } catch {
    // What came of it is enough for a message.
  }
  return text;
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body.trim();
  }
}
