import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { callVerb } from '../test/call-verb.ts';
import { loopbackCertificate } from '../test/loopback-certificate.ts';
import { verb as doctor } from './verbs/doctor.ts';
import { verb as scan } from './verbs/scan.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubemend-inconclusive-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it.each<[string, number, string, number]>([
  ['a proxy without a backend', 404, 'default backend - 404', 3],
  ['a server that answers every path with an empty object', 200, '{}', 3],
  ['a Kubernetes API without the kinds', 404, '', 0],
])('A scan of %s ends with the right code', async (_, status, text, code) => {
  const { cert, key } = await loopbackCertificate('scan');
  const server = createServer({ cert, key }, ({ url }, response) => {
    if (code === 0 && url === '/apis') response.end(JSON.stringify({ kind: 'APIGroupList', groups: [] }));
    else response.writeHead(status).end(text);
  });
  await listening(server, cert, async (config) => {
    const scanned = await callVerb(scan, directory, '--kubeconfig', config);
    expect(scanned.code).toBe(code);
    expect(scanned.out.includes('does not answer as a Kubernetes API')).toBe(code === 3);
  });
});

it.each([
  ['refused', 403, false, 3],
  ['granted', 201, true, 0],
  ['denied', 201, false, 1],
])('doctor --as-functions with rights that are %s ends with the right code', async (_, status, allowed, code) => {
  const { cert, key } = await loopbackCertificate('doctor');
  const server = createServer({ cert, key }, ({ url }, response) => {
    if (url === '/version') response.end(JSON.stringify({ gitVersion: 'v1.34.0' }));
    else response.writeHead(status).end(JSON.stringify({ message: 'cannot impersonate', status: { allowed } }));
  });
  await listening(server, cert, async (config) => {
    const { code: ended, out } = await callVerb(doctor, directory, '--kubeconfig', config, '--as-functions', '--json');
    expect({ ended, fine: (JSON.parse(out) as { fine: boolean }).fine }).toEqual({ ended: code, fine: code === 0 });
  });
});

/** Serves on a free loopback port while `use` runs, and passes it a kubeconfig for this server. */
async function listening(server: Server, cert: string, use: (kubeconfig: string) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const cluster = {
      server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      'certificate-authority-data': Buffer.from(cert).toString('base64'),
    };
    const contexts = [{ name: 'c', context: { cluster: 'c', user: 'u' } }];
    const users = [{ name: 'u', user: { token: 't' } }];
    const file = join(directory, 'config');
    writeFileSync(file, JSON.stringify({ clusters: [{ name: 'c', cluster }], users, contexts, 'current-context': 'c' }));
    await use(file);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
