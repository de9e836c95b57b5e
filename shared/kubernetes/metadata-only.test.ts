import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Exporter } from '../../events/exporter/exporter.ts';
import type { Envelope } from '../../events/fact.ts';
import { Admin } from '../../test/control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../../test/control-plane/control-plane.ts';
import { whenObjectChanged } from '../when.ts';
import { LiveCluster } from './live-cluster.ts';
import { isSecret, METADATA } from './metadata-only.ts';
import { type Request, Transport } from './transport.ts';

const MARKER = 'hunter2-SECRET';
const SECRETS = '/api/v1/namespaces/default/secrets';
const reference = { group: '', version: 'v1', resource: 'secrets', namespace: 'default' };
const artifacts = { describe: async () => undefined } as unknown as ConstructorParameters<typeof LiveCluster>[2];
let plane: ControlPlane;
let admin: Admin;
let transport: Transport;

beforeAll(async () => {
  plane = await startControlPlane({ progress: () => undefined });
  admin = new Admin(plane.connection('admin', 'test'));
  transport = new Transport(plane.connection('admin', 'kubemend'));
  const metadata = {
    name: 'login',
    labels: { app: 'x' },
    annotations: { note: 'kept', 'kubectl.kubernetes.io/last-applied-configuration': MARKER },
  };
  await admin.create(SECRETS, { metadata, stringData: { password: MARKER } });
}, 600_000);

afterAll(async () => {
  transport?.close();
  admin?.close();
  await plane?.stop();
});

/** A cluster, and everything that arrives from it. */
function listening(): { cluster: LiveCluster; arrived: unknown[] } {
  const arrived: unknown[] = [];
  const send = async (request: Request) => {
    const answer = await transport.send(request);
    arrived.push(answer.body);
    return answer;
  };
  return { cluster: new LiveCluster('test', { send }, artifacts), arrived };
}

const holdsData = (value: unknown): boolean => /"(?:data|stringData)":|aHVudGVy/.test(JSON.stringify(value));

describe('Secrets on a real API server', () => {
  it('arrive without their data when one is got', async () => {
    const { cluster, arrived } = listening();
    const secret = await cluster.get({ ...reference, name: 'login' });
    expect(secret).toMatchObject({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login', labels: { app: 'x' }, annotations: { note: 'kept' } },
    });
    expect(arrived).toHaveLength(1);
    expect(holdsData(arrived)).toBe(false);
    expect(JSON.stringify(secret)).not.toContain(MARKER);
    expect(cluster.reads).toEqual([expect.objectContaining({ found: true, uid: expect.any(String), resourceVersion: expect.any(String) })]);
  });

  it('arrive without their data when they are listed', async () => {
    const { cluster, arrived } = listening();
    const secrets = await cluster.list({ ...reference, labelSelector: 'app=x' });
    expect(secrets).toEqual([
      expect.objectContaining({ apiVersion: 'v1', kind: 'Secret', metadata: expect.objectContaining({ name: 'login' }) }),
    ]);
    expect(await cluster.get({ ...reference, name: 'login' })).toEqual(secrets[0]);
    expect(arrived).toHaveLength(1);
    expect(holdsData(arrived)).toBe(false);
    expect(JSON.stringify(secrets)).not.toContain(MARKER);
  });

  it('are known not to exist', async () => {
    expect(await listening().cluster.get({ ...reference, name: 'nobody' })).toBeUndefined();
  });

  it('would arrive with their data otherwise: this test can fail', async () => {
    const { body } = await transport.send({ method: 'GET', path: `${SECRETS}/login` });
    expect(holdsData(body)).toBe(true);
    const { body: metadata } = await transport.send({ method: 'GET', path: `${SECRETS}/login`, accept: METADATA });
    expect(holdsData(metadata)).toBe(false);
  });

  it('are watched without their data by the exporter, in list and watch', async () => {
    const arrived: Buffer[] = [];
    const facts: Envelope[] = [];
    const exporter = new Exporter({
      cluster: 'test',
      rules: [{ name: 'r', pattern: whenObjectChanged(reference, { current: { metadata: { labels: { app: ['x', 'y'] } } } }) }],
      open: async (path, signal, accept) => {
        const { status, body } = await transport.open(path, signal, accept);
        body.on('data', (chunk: Buffer) => arrived.push(chunk));
        body.pause();
        return { status, body };
      },
      sink: { put: async (events) => void facts.push(...events) },
      ...{ clock: Date, random: Math.random, onProblem: () => undefined },
    });
    await exporter.start();
    try {
      while (!exporter.ready()) await new Promise(setImmediate);
      await admin.create(SECRETS, { metadata: { name: 'other', labels: { app: 'y' } }, stringData: { password: MARKER } });
      while (facts.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      await exporter.stop();
    }
    expect(facts[0]?.detail.current).toEqual({ metadata: { labels: { app: 'y' } } });
    expect(Buffer.concat(arrived).toString()).toContain('"name":"other"');
    expect(/"(?:data|stringData)":|aHVudGVy/.test(Buffer.concat(arrived).toString())).toBe(false);
  }, 30_000);

  it.each([
    ['', 'secrets', true],
    ['', 'configmaps', false],
    ['example.com', 'secrets', false],
  ])('%s/%s: %s', (group, resource, expected) => {
    expect(isSecret({ group, resource })).toBe(expected);
  });
});
