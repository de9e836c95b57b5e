import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { auditListener, auditListenerOptions } from './audit-options.ts';
import { exportVerb } from './export-verb.ts';
import { type Call, UsageError } from './verb.ts';
import { verb as run } from './verbs/run.ts';

let folder: string;
let pair: Record<string, string>;
let token: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-audit-'));
  const pems = await generate([{ name: 'commonName', value: 'audit' }], { keyType: 'ec', algorithm: 'sha256' });
  const put = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  pair = { 'audit-cert': await put('tls.crt', pems.cert), 'audit-key': await put('tls.key', pems.private) };
  token = await put('token', 'secret\n');
  await put('empty', '\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a verb with these options listens on, and what it warns of. */
async function listening(values: Record<string, string>) {
  const warnings: string[] = [];
  const call = { values: { ...pair, ...values }, err: (line = '') => void warnings.push(line) } as unknown as Call;
  return { listener: await auditListener(call), warnings };
}

describe('the audit webhook', () => {
  it.each([
    '9443',
    '0.0.0.0:9443',
    '[::]:9443',
    '10.0.0.1:9443',
    '[::ffff:10.0.0.1]:9443',
    'localhost.example.com:9443',
    '127.example.com:9443',
  ])('does not listen on %s without a token or an authority, because other machines could send audit events', async (at) => {
    await expect(listening({ 'audit-listen': at })).rejects.toThrow(UsageError);
    await expect(listening({ 'audit-listen': at })).rejects.toThrow(/give --audit-token or --audit-client-ca/);
  });

  it('does not listen with an empty token', async () => {
    await expect(listening({ 'audit-listen': '9443', 'audit-token': join(folder, 'empty') })).rejects.toThrow(/the file is empty/);
  });

  it.each(['127.0.0.1:9443', '127.8.8.8:9443', '[::1]:9443', 'localhost:9443'])(
    'listens on %s without a token, and warns of other processes on this machine',
    async (at) => {
      const { listener, warnings } = await listening({ 'audit-listen': at });
      expect(listener).toMatchObject({ port: 9443 });
      expect(warnings).toEqual([expect.stringMatching(/^Every process on this machine/)]);
    },
  );

  it('listens on every address with a token or with an authority', async () => {
    expect(await listening({ 'audit-listen': '0.0.0.0:9443', 'audit-token': token })).toMatchObject({
      listener: { token: 'secret' },
      warnings: [],
    });
    const authority = { 'audit-listen': '9443', 'audit-client-ca': pair['audit-cert'] ?? '' };
    expect(await listening(authority)).toMatchObject({ listener: { clientCa: expect.stringContaining('CERTIFICATE') }, warnings: [] });
  });

  it('has the same options in run and export, and their help examples name how the API server is known', () => {
    for (const verb of [run, exportVerb(async () => [])]) {
      expect(verb.options).toMatchObject(auditListenerOptions);
      const examples = verb.examples.filter((example) => example.includes('--audit-listen'));
      expect(examples).toHaveLength(1);
      expect(examples[0]).toMatch(/--audit-(token|client-ca) /);
    }
  });
});
