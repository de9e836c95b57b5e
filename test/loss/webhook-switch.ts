import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { freePort } from '../control-plane/port.ts';
import { loopbackCertificate } from '../loopback-certificate.ts';

/** Where the API server sends its audit webhook: passed on to one exporter at a time, taken and forgotten while there is none. */
export interface WebhookSwitch {
  /** For the API server. */
  webhook: { url: string; ca: string };
  /** For an exporter. */
  listener: { port: number; cert: string; key: string };
  /** Whether new connections are passed on to the exporter. */
  turn(on: boolean): void;
  close(): Promise<void>;
}

/** Listens on a free loopback port. */
export async function startWebhookSwitch(): Promise<WebhookSwitch> {
  const { cert, key } = await loopbackCertificate('audit-webhook');
  const port = await freePort();
  const drain = createHttpsServer({ cert, key }, (request, response) => {
    request.resume().once('end', () => response.end());
  });
  await new Promise<void>((resolve) => drain.listen(0, '127.0.0.1', resolve));
  const { port: drained } = drain.address() as AddressInfo;
  let to = drained;
  const open = new Set<Socket>();
  const server = createServer((incoming) => {
    open.add(incoming);
    incoming.on('error', () => {}).once('close', () => open.delete(incoming));
    const outgoing = connect(to, '127.0.0.1');
    outgoing.on('error', () => incoming.destroy());
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      one.pipe(other);
      one.once('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: receiving } = server.address() as AddressInfo;
  return {
    webhook: { url: `https://127.0.0.1:${receiving}/`, ca: cert },
    listener: { port, cert, key },
    turn(on) {
      to = on ? port : drained;
      for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      drain.closeAllConnections();
      await Promise.all([server, drain].map((one) => new Promise((resolve) => one.close(resolve))));
    },
  };
}
