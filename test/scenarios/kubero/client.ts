import { type Connection, Transport } from '../../../shared/kubernetes/transport.ts';
import { type Doc, type Draft, RefusedError } from '../../control-plane/admin.ts';

/** One of the operator's two ways to the API server: they differ in the user agent. */
export class Client {
  readonly transport: Transport;
  readonly #signal: AbortSignal;

  constructor(connection: Connection, userAgent: string, signal: AbortSignal) {
    this.transport = new Transport({ ...connection, userAgent });
    this.#signal = signal;
  }

  async get(path: string): Promise<Doc | undefined> {
    const request = { method: 'GET' as const, path, signal: this.#signal };
    const answer = await this.transport.send(request);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new RefusedError(request, answer);
    return answer.body as Doc;
  }

  /** Throws RefusedError for every answer of 400 and more. */
  async write(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: Draft): Promise<Doc> {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const request = { method, path, contentType, signal: this.#signal, ...(body && { body }) };
    const answer = await this.transport.send(request);
    if (answer.status >= 400) throw new RefusedError(request, answer);
    return answer.body as Doc;
  }
}
