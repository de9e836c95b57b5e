import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { SpoolFullError } from '../spool/spool.ts';
import { BodyBudget } from './body-budget.ts';
import { readBatch } from './read-batch.ts';

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
  /** Resolves when the events are kept. A batch is answered 200 when all of it is: only then the API server forgets it. */
  accept(events: unknown[]): Promise<void>;
  /** Picks the events of interest out of a body without parsing all of it; undefined when it must be parsed whole. */
  select?(body: Buffer): unknown[] | undefined;
  /** True while nothing could be kept: then a batch is refused with 429 before its body is read. */
  overloaded?(): boolean;
  /** Counts events that are too large to be read. */
  dropped?(count: number, reason: string): void;
  onProblem(message: string): void;
  /** Bytes of one body; above it 413. Default 32 MiB. */
  maxBody?: number;
  /** Bytes held of all bodies at once; above it the body that is slowest to come is refused with 429. Default 64 MiB. */
  maxInFlight?: number;
  /** Milliseconds in which a request must have come, body included; then 408. Default 10 s. */
  deadline?: number;
  now?(): number;
}

/**
 * Receives audit.k8s.io/v1 EventLists over TLS. The API server repeats a batch on any answer but 200, five times in about 81 s, and keeps
 * slow batches in its own memory: so an overload is refused at once instead of stalling. A sender that proved who it is may still be slow or hostile: it has a
 * deadline, one batch per connection, and no claim on memory that it only announced.
 */
export class AuditWebhook {
  readonly #options: AuditWebhookOptions;
  readonly #maxBody: number;
  readonly #bodies: BodyBudget;
  readonly #busy = new WeakSet<Socket>();
  readonly #server: Server;

  constructor(options: AuditWebhookOptions) {
    const { maxBody = 32 * 2 ** 20, maxInFlight = 64 * 2 ** 20, deadline = 10_000 } = options;
    this.#options = options;
    this.#maxBody = maxBody;
    this.#bodies = new BodyBudget(maxInFlight);
    const limits = { requestTimeout: deadline, headersTimeout: deadline, handshakeTimeout: deadline };
    const settings = { ...tls(options), ...limits, connectionsCheckingInterval: Math.ceil(deadline / 10) };
    this.#server = createServer(settings, (request, response) => {
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
    const { socket } = request;
    if (this.#busy.has(socket)) return refuse(request, response, 429, 'One batch at a time: wait for the answer to the one before.');

    this.#busy.add(socket);
    const body = this.#bodies.open(() => refuse(request, response, 429, 'Too much at once: send again.'));
    try {
      // Leaving the loop must not destroy the request: the refusal still has to be sent.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (body.size + chunk.length > this.#maxBody) return refuse(request, response, 413, `The body exceeds ${this.#maxBody} bytes.`);
        body.add(chunk);
        if (body.isRefused) return;
      }
      await this.#keep(body.complete(), request, response);
    } catch (error) {
      if (!body.isRefused) throw error;
    } finally {
      body.close();
      this.#busy.delete(socket);
    }
  }

  async #keep(body: Buffer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { accept, select, dropped, onProblem, now = Date.now } = this.#options;
    try {
      const refusal = await readBatch(body, { accept, select, dropped, now });
      if (refusal) return refuse(request, response, refusal.status, refusal.because);
    } catch (error) {
      onProblem(`Audit webhook: a batch was not kept: ${error instanceof Error ? error.message : error}`);
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
