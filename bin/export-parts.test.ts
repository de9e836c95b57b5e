import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { AuditWebhook } from '../events/exporter/audit/audit-webhook.ts';
import type { Envelope } from '../events/fact.ts';
import { addressOf } from './audit-options.ts';
import { printSink } from './export-sink.ts';
import { inCluster } from './in-cluster.ts';
import { certificateWatch } from './renew-certificate.ts';
import type { Call } from './verb.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-export-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('an address to listen on', () => {
  it.each([
    ['9443', { host: '::', port: 9443 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
  ])('%s', (text, address) => {
    expect(addressOf('metrics-port', text)).toEqual(address);
  });

  it.each(['', 'http', '70000', '1.2.3.4:', '-1', '80 '])('is not %j', (text) => {
    expect(() => addressOf('metrics-port', text)).toThrow(`--metrics-port ${text} is neither PORT nor HOST:PORT`);
  });
});

it('a Pod reads its token for every request, because the kubelet replaces it', async () => {
  await writeFile(join(folder, 'ca.crt'), 'PEM');
  expect(() => inCluster('https://10.96.0.1:443', folder)).toThrow("The Pod's ServiceAccount cannot be read");
  await writeFile(join(folder, 'token'), 'first\n');
  const { token, ca, server } = inCluster('https://10.96.0.1:443', folder);
  expect([await token?.(), ca, server]).toEqual(['first', 'PEM', 'https://10.96.0.1:443']);
  await writeFile(join(folder, 'token'), 'second\n');
  expect(await token?.()).toBe('second');
});

it('a fact counts as delivered when the output took it, and as failed when it did not', async () => {
  const stream = new PassThrough();
  const fact = { id: 'a', detail: { text: 'two\nlines' } } as unknown as Envelope;
  await printSink(stream).put([fact, fact]);
  expect(
    String(stream.read())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([fact, fact]);
  stream.on('error', () => undefined).destroy();
  await expect(printSink(stream).put([fact])).rejects.toThrow();
});

describe('the certificate of the audit webhook', () => {
  const make = (name: string) => generate([{ name: 'commonName', value: name }], { keyType: 'ec', algorithm: 'sha256' });
  const shown = (port: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on('error', reject);
    });

  it('is replaced without a restart, and kept while the new one is unusable', async () => {
    const [first, second] = [await make('first'), await make('second')];
    const values = { 'audit-cert': join(folder, 'tls.crt'), 'audit-key': join(folder, 'tls.key') };
    const put = async (cert: string, key: string) => {
      await writeFile(values['audit-cert'], cert);
      await writeFile(values['audit-key'], key);
    };
    const told: string[] = [];
    const call = { values, err: (line = '') => void told.push(line) } as unknown as Call;
    const about = { host: '127.0.0.1', port: 0, accept: async () => {}, onProblem: () => {} };
    const webhook = new AuditWebhook({ ...about, cert: first.cert, key: first.private });
    const port = await webhook.listen();
    try {
      const look = certificateWatch(call, (cert, key) => webhook.renew(cert, key));
      await put(first.cert, first.private);
      await look();
      expect([await shown(port), told]).toEqual(['first', []]);
      await put(second.cert, first.private); // half replaced
      await look();
      expect([await shown(port), told]).toEqual(['first', [expect.stringContaining('the old one stays')]]);
      await put(second.cert, second.private);
      await look();
      expect([await shown(port), told.at(-1)]).toEqual(['second', 'The audit webhook shows a new certificate.']);
    } finally {
      await webhook.close();
    }
  });
});
