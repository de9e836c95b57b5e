import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { loopbackCertificate } from '../loopback-certificate.ts';

/** Stands before an API server and can make watches expire, both ways a server does it. */
export interface ApiProxy {
  server: string;
  ca: string;
  /** `connect`: watches end, and the next one is answered with 410. `stream`: they go silent, and end with an ERROR event of 410. Both after `blindFor` ms without a line. */
  expire(how: 'connect' | 'stream', blindFor: number): Promise<void>;
  close(): Promise<void>;
}

const EXPIRED = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'too old resource version', reason: 'Expired', code: 410 };

interface Stream {
  silence(): void;
  end(line?: string): void;
}

/** Starts it on a free loopback port. */
export async function startApiProxy(target: { server: string; ca: string }): Promise<ApiProxy> {
  const { cert, key } = await loopbackCertificate('api-proxy');
  const streams = new Set<Stream>();
  let refusing: { until: number; answered(): void } | undefined;
  const proxy = createServer({ cert, key }, async (incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const isWatch = url.includes('watch=1');
    if (isWatch && refusing) {
      const { until, answered } = refusing;
      refusing = undefined;
      await delay(Math.max(0, until - Date.now()));
      outgoing.writeHead(410, { 'content-type': 'application/json' }).end(JSON.stringify(EXPIRED));
      return answered();
    }
    const onward = request(new URL(url, target.server), { method, headers, ca: target.ca }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      answer.pipe(outgoing);
      if (!isWatch || answer.statusCode !== 200) return;
      const stream: Stream = {
        silence: () => void answer.unpipe(outgoing),
        end: (line) => (line ? outgoing.end(line) : outgoing.destroy()),
      };
      streams.add(stream);
      outgoing.once('close', () => {
        streams.delete(stream);
        answer.destroy();
      });
      answer.once('error', () => outgoing.destroy());
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    server: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    ca: cert,
    async expire(how, blindFor) {
      if (how === 'connect') {
        const answered = new Promise<void>((resolve) => {
          refusing = { until: Date.now() + blindFor, answered: resolve };
        });
        for (const stream of streams) stream.end();
        return answered;
      }
      const ending = [...streams];
      for (const stream of ending) stream.silence();
      await delay(blindFor);
      for (const stream of ending) stream.end(`${JSON.stringify({ type: 'ERROR', object: EXPIRED })}\n`);
    },
    async close() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
