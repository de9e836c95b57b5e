import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { asRecord } from '../as-record.ts';
import { SpoolFullError } from '../spool/spool.ts';

/** How the receiver of the API server's audit webhook is set up. */
export interface AuditWebhookOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** PEM. */
  cert: string;
  key: string;
  /** Expected as `Authorization: Bearer …`. */
  token?: string;
  /** PEM; then only clients with a certificate of this authority get in. */
  clientCa?: string;
  /** Resolves when the events are kept: only then the API server is told 200, and forgets them. */
  accept(events: unknown[]): Promise<void>;
  /** Picks the events of interest out of a body without parsing all of it; undefined when it must be parsed whole. */
  select?(body: Buffer): unknown[] | undefined;
  /** True while nothing could be kept: then a batch is refused with 429 before its body is read. */
  overloaded?(): boolean;
  onProblem(message: string): void;
  /** Bytes of one body; above it 413. Default 32 MiB. */
  maxBody?: number;
  /** Bytes of all bodies at once; above it 429. Default 128 MiB. */
  maxInFlight?: number;
}

/**
 * Receives audit.k8s.io/v1 EventLists over TLS. The API server repeats a batch on any answer but 200, five times in about 81 s, and keeps
 * slow batches in its own memory: so an overload is refused at once instead of stalling.
 */
export class AuditWebhook {
  readonly #options: AuditWebhookOptions;
  readonly #maxBody: number;
  readonly #maxInFlight: number;
  readonly #server: Server;
  #inFlight = 0;

  constructor(options: AuditWebhookOptions) {
    const { maxBody = 32 * 2 ** 20, maxInFlight = 128 * 2 ** 20 } = options;
    this.#options = options;
    this.#maxBody = maxBody;
    this.#maxInFlight = maxInFlight;
    this.#server = createServer(tls(options), (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        options.onProblem(`Audit webhook: ${error instanceof Error ? error.message : error}`);
        response.destroy();
      });
    });
  }

  /** Starts to listen; returns the port. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(port, host, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on this certificate is shown; connections that are open stay. Throws when key and certificate do not fit. */
  renew(cert: string, key: string): void {
    this.#server.setSecureContext(tls({ ...this.#options, cert, key }));
  }

  /** Stops listening and ends open connections; batches without an answer come again. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return refuse(request, response, 405, 'POST an audit.k8s.io/v1 EventList.');
    if (!this.#isAllowed(request)) return refuse(request, response, 401, 'The bearer token is missing or wrong.');
    if (this.#options.overloaded?.()) return refuse(request, response, 429, 'The spool takes no more: send again.');
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > this.#maxBody)
      return refuse(request, response, 413, `The body exceeds ${this.#maxBody} bytes: lower --audit-webhook-batch-max-size.`);
    if (this.#inFlight + announced > this.#maxInFlight) return refuse(request, response, 429, 'Too much at once: send again.');

    let held = announced;
    this.#inFlight += held;
    try {
      const chunks: Buffer[] = [];
      let size = 0;
      // Leaving the loop must not destroy the request: the refusal still has to be sent.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > held) {
          this.#inFlight += size - held;
          held = size;
        }
        if (size > this.#maxBody) return refuse(request, response, 413, `The body exceeds ${this.#maxBody} bytes.`);
        if (this.#inFlight > this.#maxInFlight) return refuse(request, response, 429, 'Too much at once: send again.');
      }
      await this.#keep(Buffer.concat(chunks), request, response);
    } finally {
      this.#inFlight -= held;
    }
  }

  async #keep(body: Buffer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const events = this.#options.select?.(body) ?? eventsOf(body);
    if (typeof events === 'string') return refuse(request, response, 400, events);
    try {
      await this.#options.accept(events);
    } catch (error) {
      this.#options.onProblem(`Audit webhook: ${events.length} events were not kept: ${error instanceof Error ? error.message : error}`);
      return refuse(request, response, error instanceof SpoolFullError ? 429 : 503, 'The events were not kept: send again.');
    }
    response.writeHead(200).end();
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    const { token } = this.#options;
    return token === undefined || timingSafeEqual(digest(`Bearer ${token}`), digest(headers.authorization ?? ''));
  }
}

const tls = ({ cert, key, clientCa }: Pick<AuditWebhookOptions, 'cert' | 'key' | 'clientCa'>) => ({
  ...{ cert, key },
  ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
});

/** Equal lengths for timingSafeEqual. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Answers without reading the rest, and ends the connection, because the rest of the body is in the way. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, because: string): void {
  response.writeHead(status, {
    connection: 'close',
    'content-type': 'text/plain',
    ...(status === 429 || status === 503 ? { 'retry-after': '1' } : {}),
  });
  response.end(`${because}\n`, () => request.resume());
}

function eventsOf(body: Buffer): unknown[] | string {
  let list: Record<string, unknown>;
  try {
    list = asRecord(JSON.parse(body.toString('utf8')));
  } catch (error) {
    return `The body is no JSON: ${error instanceof Error ? error.message : error}`;
  }
  if (list.kind !== 'EventList' || list.apiVersion !== 'audit.k8s.io/v1' || !Array.isArray(list.items)) {
    return `Expected an audit.k8s.io/v1 EventList with items, got ${list.apiVersion ?? 'no apiVersion'} ${list.kind ?? 'no kind'}.`;
  }
  return list.items;
}
