import { connect, createServer } from 'node:net';
import { generate } from 'selfsigned';
import { freePort } from '../control-plane/port.ts';

/** Where the API server sends its audit webhook: passed on to one exporter at a time, refused while there is none. */
export interface WebhookSwitch {
  /** For the API server. */
  webhook: { url: string; ca: string };
  /** For an exporter. */
  listener: { port: number; cert: string; key: string };
  /** Only while it is on, connections are passed on. */
  turn(on: boolean): void;
  close(): Promise<void>;
}

/** Listens on a free loopback port. */
export async function startWebhookSwitch(): Promise<WebhookSwitch> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'audit-webhook' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  const port = await freePort();
  let isOn = false;
  const server = createServer((incoming) => {
    incoming.on('error', () => {});
    if (!isOn) return incoming.destroy();
    const outgoing = connect(port, '127.0.0.1');
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
  const address = server.address() as { port: number };
  return {
    webhook: { url: `https://127.0.0.1:${address.port}/`, ca: cert },
    listener: { port, cert, key },
    turn(on) {
      isOn = on;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
