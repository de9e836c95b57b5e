import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { loopbackCertificate } from './loopback-certificate.ts';

/** Stands in front of an API server, passes everything on, and keeps who asked for what. */
export interface RecordingProxy {
  server: string;
  ca: string;
  requests: { method: string; path: string; as: string | undefined }[];
  stop(): Promise<void>;
}

/** Starts a TLS proxy on a free loopback port. With a `prefix` it serves the API below that path and nothing elsewhere, as Rancher does. */
export async function startRecordingProxy(target: { server: string; ca: string }, prefix = ''): Promise<RecordingProxy> {
  const { cert, key } = await loopbackCertificate('recording-proxy');
  const requests: RecordingProxy['requests'] = [];
  const proxy = createServer({ cert, key }, (incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    requests.push({ method, path: url, as: headers['impersonate-user'] as string | undefined });
    if (!url.startsWith(`${prefix}/`)) return void outgoing.writeHead(418).end();
    const onward = request(new URL(url.slice(prefix.length), target.server), { method, headers, ca: target.ca }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    server: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}`,
    ca: cert,
    requests,
    async stop() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
