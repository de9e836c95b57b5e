import type { IncomingMessage } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import { requestUrl } from './request-url.ts';

/** Who asks, and where. */
export interface Caller {
  /** `https://host:port`, with a path where the API has one. */
  server: string;
  headers: Record<string, string>;
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

/** What is opened: a path of the API server, and its name for people. */
export interface Upgrade {
  /** `port-forward to pods kafka/my-cluster-zookeeper-0` */
  name: string;
  /** With query. */
  path: string;
  protocols: string[];
}

/** The API server refused before the upgrade; `status` is the HTTP status. */
export class UpgradeRefusedError extends Error {
  override name = 'UpgradeRefusedError';
  readonly status: number;

  constructor(what: string, status: number, body: string) {
    super(`${what} was answered ${status}: ${messageOf(body)}`);
    this.status = status;
  }
}

/** Opens a WebSocket to the API server, and hands it over at once: the first frames may come with the answer. Throws UpgradeRefusedError, and after `within` milliseconds. */
export async function upgrade<T>(
  caller: Caller,
  { name, path, protocols }: Upgrade,
  within: number,
  use: (socket: WebSocket) => T,
): Promise<T> {
  const { server, headers, ca, cert, key } = caller;
  // Loaded when it is needed: one remediation of all opens ports, and loading it takes a tenth of a cold start.
  const { default: Socket } = await import('ws');
  const socket = new Socket(requestUrl(server, path), protocols, {
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
    const timer = setTimeout(() => fail(new Error(`${name} was not answered within ${within / 1_000} s`)), within);
    socket.on('error', fail);
    socket.on('unexpected-response', (_, response) => {
      void readBody(response).then((body) => fail(new UpgradeRefusedError(name, response.statusCode ?? 0, body)));
    });
    socket.on('open', () => {
      clearTimeout(timer);
      resolve(use(socket));
    });
  });
}

/** One message as one buffer. */
export function asBuffer(data: RawData): Buffer {
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
