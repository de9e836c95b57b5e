import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { UnknownClusterError } from '../../shared/acting.ts';
import { Doubt } from '../../shared/cluster.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import { Clusters, parseClusters } from './clusters.ts';
import { readContinueEnvironment, readEnvironment } from './environment.ts';

const ca = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const eks = { cluster: 'prod', region: 'eu-west-1' };
const secrets = { get: async (name: string) => `value of ${name}` };
const credentials = () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' });

const list = (clusters: Record<string, unknown>) => parseClusters(JSON.stringify(clusters));

describe('KUBEMEND_CLUSTERS', () => {
  it('is no cluster at all when it is empty', () => expect(parseClusters('')).toEqual({}));

  it('takes the CA as PEM and as EKS shows it, in base64', () => {
    const encoded = Buffer.from(ca).toString('base64');
    const { a, b } = list({ a: { server: 'https://a', ca, eks }, b: { server: 'https://b', ca: encoded, eks } });
    expect([a?.ca, b?.ca]).toEqual([ca, ca]);
  });

  it.each([
    ['no JSON', '{', 'KUBEMEND_CLUSTERS is no JSON'],
    ['an address without TLS', JSON.stringify({ a: { server: 'http://a', ca, eks } }), 'a.server'],
    ['a CA that is none', JSON.stringify({ a: { server: 'https://a', ca: 'x', eks } }), 'no PEM certificate'],
    ['no credential', JSON.stringify({ a: { server: 'https://a', ca } }), 'needs exactly one of eks, tokenSecret and tokenFile'],
    [
      'two credentials',
      JSON.stringify({ a: { server: 'https://a', ca, eks, tokenFile: '/t' } }),
      'needs exactly one of eks, tokenSecret and tokenFile',
    ],
    ['a word it does not know', JSON.stringify({ a: { server: 'https://a', ca, eks, insecure: true } }), 'insecure'],
  ])('refuses %s', (_, text, because) => expect(() => parseClusters(text)).toThrow(because));
});

describe('the clusters of a function', () => {
  it.each(['other', 'toString', '__proto__'])('do not include %s, which it was not given', (name) => {
    const clusters = new Clusters({ list: list({ prod: { server: 'https://a', ca, eks } }), credentials, secrets, now: () => 0 });
    expect(() => clusters.transport(name, 'strimzi/x')).toThrow(UnknownClusterError);
    expect(() => clusters.transport(name, 'strimzi/x')).toThrow('it has: prod');
  });

  it('are reached on EKS with a token of the own role, renewed after ten minutes', async () => {
    let now = Date.parse('2026-11-21T04:00:00Z');
    const clusters = new Clusters({ list: list({ prod: { server: 'https://a', ca, eks } }), credentials, secrets, now: () => now });
    const { token, impersonate } = clusters.connection('prod', 'strimzi/x');
    const first = await token?.();
    now += 9 * 60_000;
    expect(await token?.()).toBe(first);
    now += 60_000;
    expect(await token?.()).not.toBe(first);
    expect([first?.startsWith('k8s-aws-v1.'), impersonate]).toEqual([true, undefined]);
  });

  it("are reached elsewhere with the file's token as it is now, in the remediation's name", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kubemend-token-'));
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'one\n');
    const clusters = new Clusters({ list: list({ prod: { server: 'https://a', ca, tokenFile } }), credentials, secrets, now: () => 0 });
    const { token, impersonate, userAgent } = clusters.connection('prod', 'strimzi/x');
    expect(await token?.()).toBe('one');
    await writeFile(tokenFile, 'two\n');
    expect(await token?.()).toBe('two');
    expect([impersonate, userAgent]).toEqual(['kubemend:strimzi:x', 'kubemend/strimzi/x']);
    await rm(folder, { recursive: true });
  });

  it('are reached elsewhere with a token of Secrets Manager', async () => {
    const tokenSecret = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:kubemend/prod-AbCdEf';
    const clusters = new Clusters({ list: list({ prod: { server: 'https://a', ca, tokenSecret } }), credentials, secrets, now: () => 0 });
    const { token, impersonate } = clusters.connection('prod', 'strimzi/x');
    expect([await token?.(), impersonate]).toEqual([`value of ${tokenSecret}`, 'kubemend:strimzi:x']);
  });

  it('are not asked anything while that secret cannot be read: to whoever looks it is a doubt', async () => {
    let asked = 0;
    const server = createServer((socket) => {
      asked += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const broken = { get: async () => Promise.reject(new Error('ThrottlingException: rate exceeded')) };
    const at = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const clusters = new Clusters({
      list: list({ prod: { server: at, ca, tokenSecret: 't' } }),
      credentials,
      secrets: broken,
      now: () => 0,
    });
    const cluster = new LiveCluster('prod', clusters.transport('prod', 'strimzi/x'), undefined as never);
    const pod = { group: '', version: 'v1', resource: 'pods', namespace: 'kafka', name: 'a' };
    await expect(cluster.get(pod)).rejects.toThrow(/pods\/a: ThrottlingException/);
    await expect(cluster.get(pod)).rejects.toBeInstanceOf(Doubt);
    expect(asked).toBe(0);
    clusters.close();
    server.close();
  });
});

const whole = {
  ...{ KUBEMEND_BUS: 'b', KUBEMEND_TABLE: 't', KUBEMEND_BUCKET: 's', KUBEMEND_QUEUE: 'q', KUBEMEND_QUEUE_ARN: 'qa' },
  ...{ KUBEMEND_DEAD_LETTER_ARN: 'd', KUBEMEND_SCHEDULE_GROUP: 'g', KUBEMEND_SCHEDULE_ROLE_ARN: 'r', AWS_REGION: 'eu-west-1' },
};

describe('the environment of a function', () => {
  it('names the variable that is missing', () => {
    expect(() => readEnvironment({})).toThrow(Object.keys(whole).join(', '));
    expect(() => readContinueEnvironment({})).toThrow('KUBEMEND_TABLE, KUBEMEND_QUEUE, KUBEMEND_FUNCTIONS');
    expect(() => readEnvironment(whole).credentials()).toThrow('AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY');
  });

  it('reads the credentials when they are needed', () => {
    const variables: Record<string, string> = { ...whole, AWS_ACCESS_KEY_ID: 'old', AWS_SECRET_ACCESS_KEY: 's' };
    const { credentials: read } = readEnvironment(variables);
    variables.AWS_ACCESS_KEY_ID = 'new';
    expect(read().accessKeyId).toBe('new');
  });
});
