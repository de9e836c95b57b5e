import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnswerOptions, receive } from '../../functions/kubemend/answer-slack/receive.ts';
import { LARGEST } from '../../functions/kubemend/answer-slack/verify-request.ts';

/** The path of the interactivity URL. */
export const ACTIONS = '/slack/actions';

/** The port for clicks cannot be had. */
export class SlackPortError extends Error {
  override name = 'SlackPortError';
}

/** The address Slack sends clicks to, without TLS: a tunnel or an ingress ends it. */
export interface SlackServer {
  port: number;
  /** Resolves when no click is at hand. */
  idle(): Promise<unknown>;
  /** Resolves when the clicks at hand are handled. */
  stop(): Promise<void>;
}

/** Answers Slack first and works then, so 3 seconds are always enough. Throws SlackPortError. */
export async function startSlackServer(host: string, port: number, options: AnswerOptions): Promise<SlackServer> {
  const working = new Set<Promise<void>>();
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, async (request, response) => {
    response.setHeader('connection', 'close');
    if (request.url !== ACTIONS) return response.writeHead(404).end();
    try {
      const { status, work } = await receive({ headers: request.headers, body: await bytesOf(request) }, options);
      response.writeHead(status).end();
      if (!work) return;
      const done = work()
        .catch((error: Error) => options.onProblem(`A click could not be carried out: ${error.message}`))
        .finally(() => working.delete(done));
      working.add(done);
    } catch (error) {
      options.onProblem(`A click could not be taken: ${(error as Error).message}`);
      if (!response.headersSent) response.writeHead(503).end();
    }
  });
  await listen(server, host, port);
  const idle = () => Promise.allSettled(working);
  return {
    port: (server.address() as AddressInfo).port,
    idle,
    async stop() {
      await new Promise((resolve) => server.close(resolve));
      await idle();
    },
  };
}

/** The body's bytes. Throws where they are more than a click has. */
async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new SlackPortError(`Slack's clicks cannot be taken on ${host}:${port}: ${error.message}. Give another --slack-port`)),
    );
    server.listen(port, host, resolve);
  });
