import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One entry of a PutEvents request, as the AWS JSON protocol has it. */
export interface PutEntry {
  Source: string;
  DetailType: string;
  Detail: string;
  EventBusName: string;
  /** Seconds. */
  Time?: number;
}

/** What the bus does with one request: take all, refuse some of its entries, throttle, fail, or take all and say nothing. */
export type Mood = 'takes' | 'refuses some' | 'throttles' | 'fails' | 'takes and fails' | 'takes and hangs' | 'takes and resets';

const MOST_ENTRIES = 10;
const MOST_BYTES = 1_000_000;

/** PutEvents over HTTP: one target of the AWS JSON 1.1 protocol, with the faults of the real one, and worse. */
export class StubPutEvents {
  readonly #onEntry: (entry: PutEntry) => void;
  #server: Server | undefined;
  #port = 0;
  /** Asked for each request. */
  mood: () => Mood = () => 'takes';
  /** What a real bus would have answered with an error about the request itself. */
  readonly violations: string[] = [];
  readonly answers: Record<string, number> = {};

  /** `onEntry`: an entry that the bus took, whether or not it said so. */
  constructor(onEntry: (entry: PutEntry) => void) {
    this.#onEntry = onEntry;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, after `away` on the same port as before. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response).catch(() => response.destroy()));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.#port, '127.0.0.1', resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Refuses connections, and cuts the open ones. */
  async away(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const wrong = violation(request, body);
    if (wrong !== undefined) {
      this.violations.push(wrong);
      return say(response, 400, { __type: 'ValidationException', message: wrong });
    }
    const { Entries } = JSON.parse(body.toString('utf8')) as { Entries: PutEntry[] };
    const mood = this.mood();
    this.answers[mood] = (this.answers[mood] ?? 0) + 1;
    if (mood === 'throttles') return say(response, 400, { __type: 'ThrottlingException', message: 'Rate exceeded' });
    if (mood === 'fails') return say(response, 503, { __type: 'ServiceUnavailable', message: 'Try again' });
    const isRefused = (index: number) => mood === 'refuses some' && (index === 0 || Math.random() < 0.4);
    const results = Entries.map((entry, index) => {
      if (isRefused(index)) return { ErrorCode: index % 2 ? 'InternalFailure' : 'ThrottlingException', ErrorMessage: 'Try again' };
      this.#onEntry(entry);
      return { EventId: `${index}` };
    });
    if (mood === 'takes and hangs') return;
    if (mood === 'takes and resets') return void request.socket.resetAndDestroy();
    if (mood === 'takes and fails') return say(response, 500, { __type: 'InternalException', message: 'Taken, and failed' });
    say(response, 200, { FailedEntryCount: results.filter(({ ErrorCode }) => ErrorCode).length, Entries: results });
  }
}

/** What EventBridge would refuse the whole request for. */
function violation({ method, headers }: IncomingMessage, body: Buffer): string | undefined {
  if (method !== 'POST' || headers['x-amz-target'] !== 'AWSEvents.PutEvents') return `${method} ${headers['x-amz-target']} is no PutEvents`;
  if (headers['content-type'] !== 'application/x-amz-json-1.1') return `The content type is ${headers['content-type']}`;
  if (!/^AWS4-HMAC-SHA256 Credential=.+SignedHeaders=.+Signature=[0-9a-f]{64}$/.test(headers.authorization ?? ''))
    return 'It is not signed';
  const { Entries } = JSON.parse(body.toString('utf8')) as { Entries?: PutEntry[] };
  if (!Array.isArray(Entries) || Entries.length < 1 || Entries.length > MOST_ENTRIES) return `It has ${Entries?.length} entries`;
  const bytes = Entries.reduce((sum, { Source, DetailType, Detail }) => sum + 14 + Buffer.byteLength(Source + DetailType + Detail), 0);
  if (bytes >= MOST_BYTES) return `Its entries have ${bytes} bytes`;
  const incomplete = Entries.find(({ Source, DetailType, Detail, EventBusName }) => !Source || !DetailType || !EventBusName || !Detail);
  return incomplete && `An entry lacks a field: ${JSON.stringify(incomplete).slice(0, 200)}`;
}

function say(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
}
