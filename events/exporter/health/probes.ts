import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Blindness, defects, sentence } from './blindness.ts';
import { exporterMetrics, type MetricsSource } from './metrics.ts';
import type { ExporterStats } from './stats.ts';

/** How the probes are set up. */
export interface ProbesOptions extends MetricsSource {
  host: string;
  /** 0 takes a free one. */
  port: number;
  cluster: string;
  auditSources: string[];
  now(): number;
}

/** What `/status` answers, as JSON. */
export interface ExporterStatus {
  cluster: string;
  /** The exporter's clock, milliseconds since 1970. */
  now: number;
  /** Why it is blind; empty when it sees. */
  blindness: Blindness[];
  /** Names of the audit sources it was given. */
  auditSources: string[];
  stats: ExporterStats;
}

interface Page {
  status: number;
  type: string;
  text: string;
}

/** `/metrics` for Prometheus, `/healthz` and `/readyz` for the kubelet, `/status` for `kubemend doctor`. Plain HTTP: it tells numbers and names of resources only. */
export class Probes {
  readonly #options: ProbesOptions;
  readonly #server: Server;
  readonly #pages: Record<string, () => Page | Promise<Page>>;

  constructor(options: ProbesOptions) {
    const { stats, blindness, cluster, auditSources, now } = options;
    const metrics = exporterMetrics(options);
    this.#options = options;
    this.#pages = {
      '/metrics': async () => ({ status: 200, type: metrics.contentType, text: await metrics.metrics() }),
      // Only what a restart mends: a kubelet restarts what is unhealthy, and being blind is no reason for that.
      '/healthz': () => verdict(defects(stats())),
      '/readyz': () => verdict(blindness()),
      '/status': () => {
        const answer: ExporterStatus = { cluster, now: now(), auditSources, blindness: blindness(), stats: stats() };
        return { status: 200, type: 'application/json', text: JSON.stringify(answer) };
      },
    };
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** Starts to listen; returns the port. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(port, host, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer({ method, url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = this.#pages[url.split('?')[0] ?? ''];
    const nothing: Page = { status: 404, type: TEXT, text: `There are ${Object.keys(this.#pages).join(', ')}.\n` };
    const answer = async (): Promise<Page> =>
      method === 'GET' || method === 'HEAD' ? ((await page?.()) ?? nothing) : { ...nothing, status: 405, text: 'GET it.\n' };
    const { status, type, text } = await answer().catch((error: Error): Page => ({ status: 500, type: TEXT, text: `${error.message}\n` }));
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(text);
  }
}

const TEXT = 'text/plain; charset=utf-8';

const verdict = (reasons: Blindness[]): Page =>
  reasons.length === 0
    ? { status: 200, type: TEXT, text: 'ok\n' }
    : { status: 503, type: TEXT, text: reasons.map((reason) => `${sentence(reason)}\n`).join('') };
