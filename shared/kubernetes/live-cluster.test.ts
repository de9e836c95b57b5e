import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { memoryArtifacts } from '../../test/toy-world.ts';
import { Doubt } from '../cluster.ts';
import { LiveCluster } from './live-cluster.ts';
import type { Reference } from './object.ts';
import { Transport } from './transport.ts';

const reference: Reference = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: 'a' };
const PATH = '/apis/example.com/v1/namespaces/shop/widgets/a';
const widget = (name: string, resourceVersion = '7') => ({ metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion } });

let server: Server;
let transport: Transport;
let asked: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;

const json = (status: number, body: unknown) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
};
const status = (code: number, message: string, details?: unknown) =>
  json(code, { kind: 'Status', status: 'Failure', message, code, ...(details ? { details } : {}) });
const cluster = (signal?: AbortSignal): LiveCluster => new LiveCluster('test', transport, memoryArtifacts(), signal);

beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  server = createServer({ key, cert }, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  transport = new Transport({ server: `https://127.0.0.1:${port}`, ca: cert, userAgent: 'kubemend-test' });
});
beforeEach(() => {
  asked = [];
});
afterAll(async () => {
  transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('an object', () => {
  it('is read once in an examination, and kept as evidence', async () => {
    answer = json(200, widget('a'));
    const view = cluster();
    const [one, two] = await Promise.all([view.get(reference), view.get(reference)]);
    expect(one).toBe(two);
    expect(asked).toEqual([`GET ${PATH}`]);
    expect(view.reads).toEqual([{ path: PATH, found: true, uid: 'uid-a', resourceVersion: '7' }]);
  });

  it('does not exist when the server names it in its 404', async () => {
    answer = status(404, 'widgets.example.com "a" not found', { name: 'a', group: 'example.com', kind: 'widgets' });
    const view = cluster();
    expect(await view.get(reference)).toBeUndefined();
    expect(view.reads).toEqual([{ path: PATH, found: false }]);
  });

  it.each([
    [
      'an unknown kind',
      status(404, 'the server could not find the requested resource', {}),
      /404: the server could not find the requested resource/,
    ],
    ['a 404 that says nothing', json(404, '404 page not found\n'), /404: 404 page not found/],
    ['a 404 with a null body', json(404, 'null'), /./],
    [
      'no permission',
      status(403, 'widgets "a" is forbidden', { name: 'a' }),
      /answered 403: .*forbidden \(apply the RBAC of this remediation\)/,
    ],
    ['no identity', status(401, 'Unauthorized'), /answered 401: Unauthorized/],
    ['a broken server', status(500, 'etcdserver: request timed out'), /answered 500: etcdserver/],
    ['a busy server', status(429, 'too many requests'), /answered 429/],
    ['a page of a proxy', json(200, '<html>sign in</html>'), /answered something that is no object/],
    ['an empty answer', json(200, ''), /answered something that is no object/],
    ['a broken connection', (request: IncomingMessage) => void request.socket.destroy(), /GET \/apis.*: (socket hang up|read ECONNRESET)/],
  ])('is in doubt, never absent, after %s', async (_, next, says) => {
    answer = next;
    const reading = cluster().get(reference);
    await expect(reading).rejects.toThrow(Doubt);
    await expect(reading).rejects.toThrow(says);
  });

  it('is in doubt when the answer does not come before the examination is over', async () => {
    answer = () => undefined;
    const abort = new AbortController();
    const reading = cluster(abort.signal).get(reference);
    abort.abort();
    await expect(reading).rejects.toThrow(Doubt);
    await expect(cluster(AbortSignal.timeout(50)).get(reference)).rejects.toThrow(/abort/);
  });
});

describe('a list', () => {
  const collection = { group: 'example.com', version: 'v1', resource: 'widgets', labelSelector: 'app=shop,tier in (a, b)' };

  it('has all pages, and its items carry their kind', async () => {
    answer = (request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'https://x');
      const page = Number(searchParams.get('continue') ?? '1');
      const metadata = page < 3 ? { continue: `${page + 1}` } : {};
      json(200, { apiVersion: 'example.com/v1', kind: 'WidgetList', metadata, items: [widget(`w${page}`)] })(request, response);
    };
    const view = cluster();
    const items = await view.list(collection);
    expect(items.map(({ metadata, kind, apiVersion }) => [metadata.name, kind, apiVersion])).toEqual(
      ['w1', 'w2', 'w3'].map((name) => [name, 'Widget', 'example.com/v1']),
    );
    expect(asked).toHaveLength(3);
    expect(new URL(asked[2]?.slice(4) ?? '', 'https://x').searchParams.get('labelSelector')).toBe(collection.labelSelector);
    expect(view.reads).toEqual([{ path: '/apis/example.com/v1/widgets', found: true, items: 3 }]);
  });

  it('counts as the read of its items: a lock is taken from the state that was judged', async () => {
    answer = json(200, { kind: 'WidgetList', metadata: {}, items: [widget('a', '7')] });
    const view = cluster();
    const [listed] = await view.list(collection);
    answer = json(200, widget('a', '8'));
    expect(await view.get(reference)).toBe(listed);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['an unknown kind', status(404, 'the server could not find the requested resource', {})],
    ['an object instead of a list', json(200, widget('a'))],
    ['a page that expired', status(410, 'the provided continue parameter is too old')],
    ['an answer that names something absent', status(404, 'not found', { name: 'a' })],
  ])('is in doubt after %s, never empty', async (_, next) => {
    answer = next;
    await expect(cluster().list(collection)).rejects.toThrow(Doubt);
  });
});

it('An artifact comes with its pinned hash, or not at all', async () => {
  const view = cluster();
  expect(await view.artifact('widgets/blue')).toMatchObject({ sha256: 'pinned', text: expect.stringContaining('color: blue') });
  expect(await view.artifact('widgets/none')).toBeUndefined();
});
