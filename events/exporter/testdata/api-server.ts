import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Open } from '../watch/open.ts';

/** Answers one GET. */
export type Answer = (response: ServerResponse, url: URL, request: IncomingMessage) => void;

/** A local HTTP server that plays the API server: `answer` decides, `requests` remembers. */
export interface ApiServer {
  requests: string[];
  port: number;
  open: Open;
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startApiServer(answer: Answer): Promise<ApiServer> {
  const requests: string[] = [];
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '', 'http://api');
    requests.push(`${url.pathname}${url.search}`);
    answer(response, url, incoming);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const open: Open = (path, signal, accept = 'application/json') =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path, signal, headers: { accept } }, (incoming) =>
        resolve({ status: incoming.statusCode ?? 0, body: incoming as AsyncIterable<Buffer> }),
      );
      outgoing.on('error', reject).end();
    });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { requests, port, open, close };
}

/** Ends the answer with a JSON document. */
export const json = (response: ServerResponse, body: unknown, status = 200): void =>
  void response.writeHead(status).end(JSON.stringify(body));

/** Writes one line of a watch. */
export const line = (response: ServerResponse, type: string, object: unknown): void =>
  void response.write(`${JSON.stringify({ type, object })}\n`);
