import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { resolve } from '../../events/exporter/watch/discovery.ts';
import { loopbackCertificate } from '../../test/loopback-certificate.ts';
import { memoryArtifacts } from '../../test/toy-world.ts';
import { LiveCluster } from './live-cluster.ts';
import { requestUrl } from './request-url.ts';
import { Transport } from './transport.ts';

const PREFIX = '/k8s/clusters/c-m-1234';
const MINE = { group: 'demo.io', version: 'v1', resource: 'things', namespace: 'shop', name: 'a' };
let server: Server;
let transport: Transport;
let asked: string[] = [];
const seen = ({ method, url, headers }: IncomingMessage) => asked.push(`${method} ${url} ${headers.authorization}`);

beforeAll(async () => {
  const { cert, key } = await loopbackCertificate('a proxy of API servers');
  server = createServer({ key, cert }, (request, response) => {
    seen(request);
    request.resume();
    const body = request.url?.endsWith('/apis/demo.io')
      ? { versions: [{ version: 'v1' }] }
      : {
          apiVersion: 'demo.io/v1',
          kind: 'ThingList',
          metadata: { name: 'a' },
          items: [],
          resources: [{ name: 'things', kind: 'Thing', namespaced: true }],
        };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  server.on('upgrade', (request, socket) => {
    seen(request);
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const address = `https://127.0.0.1:${port}${PREFIX}/`;
  transport = new Transport({ server: address, ca: cert, userAgent: 'kubemend-test', token: async () => 'mine' });
});
beforeEach(() => {
  asked = [];
});
afterAll(async () => {
  transport?.close();
  server?.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

describe('the path of a server is kept', () => {
  const below = (path: string, method = 'GET') => `${method} ${PREFIX}${path} Bearer mine`;

  it('by reads and lists', async () => {
    const cluster = new LiveCluster('prod', transport, memoryArtifacts());
    await cluster.get(MINE);
    await cluster.list(MINE);
    expect(asked).toEqual([below('/apis/demo.io/v1/namespaces/shop/things/a'), below('/apis/demo.io/v1/namespaces/shop/things?limit=500')]);
  });

  it('by writes', async () => {
    await transport.send({ method: 'PATCH', path: '/apis/demo.io/v1/namespaces/shop/things/a?dryRun=All', body: {} });
    expect(asked).toEqual([below('/apis/demo.io/v1/namespaces/shop/things/a?dryRun=All', 'PATCH')]);
  });

  it('by discovery and watches', async () => {
    const { signal } = new AbortController();
    const open = (path: string, ending: AbortSignal, accept?: string) => transport.open(path, ending, accept);
    const served = await resolve(open, MINE.group, MINE.resource, signal);
    const { body } = await open(`${served?.path}?watch=1`, signal);
    body.resume();
    expect(asked).toEqual([below('/apis/demo.io'), below('/apis/demo.io/v1'), below('/apis/demo.io/v1/things?watch=1')]);
  });

  it('by port-forward and exec', async () => {
    const refused = { status: 403 };
    await expect(transport.portForward({ namespace: 'shop', pod: 'a', port: 2181 })).rejects.toMatchObject(refused);
    await expect(transport.exec({ namespace: 'shop', pod: 'a' }, ['ls', '/'], 10_000)).rejects.toMatchObject(refused);
    expect(asked).toEqual([
      below('/api/v1/namespaces/shop/pods/a/portforward?ports=2181'),
      below('/api/v1/namespaces/shop/pods/a/exec?stdout=true&stderr=true&command=ls&command=%2F'),
    ]);
  });
});

describe('a request goes where its path says', () => {
  it.each(['/api/v1/../../../c-2/api/v1', '/api/v1/%2e%2e/x', '/api/v1/./x', '/api\\v1', '/api/v1#x', 'api/v1', '/a b', '/a\n'])(
    'a URL that would change %j is not made, and nothing is sent',
    async (path) => {
      expect(() => requestUrl(`https://host${PREFIX}`, path)).toThrow(/is not a path of the API/);
      await expect(transport.send({ method: 'GET', path })).rejects.toMatchObject({ sent: false });
      expect(asked).toEqual([]);
    },
  );

  it('another host cannot be named', () => {
    expect(() => requestUrl('https://host', '@evil/x')).toThrow(/is not a path of the API/);
    expect(requestUrl('https://host:6443', '//evil/x').href).toBe('https://host:6443//evil/x');
  });
});

describe('a forged reference', () => {
  it.each([
    [{ version: 'v1/../../../api/v1/namespaces/kube-system/secrets/admin-token#' }],
    [{ group: '', resource: 'secrets/x' }],
    [{ group: '', resource: 'watch', namespace: undefined, name: 'secrets' }],
    [{ namespace: '..' }],
    [{ name: '..' }],
  ])('leaves the question unanswered, and nothing is sent: %j', async (forged) => {
    const cluster = new LiveCluster('prod', transport, memoryArtifacts());
    await expect(cluster.get({ ...MINE, ...forged })).rejects.toThrow(/is not a valid/);
    await expect(transport.portForward({ namespace: '..', pod: 'a', port: 1 })).rejects.toThrow(/is not a valid namespace/);
    await expect(transport.exec({ namespace: 'shop', pod: '..' }, ['ls'], 1_000)).rejects.toThrow(/is not a valid name/);
    expect(asked).toEqual([]);
  });
});
