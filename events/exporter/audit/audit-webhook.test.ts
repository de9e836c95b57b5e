import { request } from 'node:https';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { until } from '../testdata/manual-clock.ts';
import { AuditWebhook, type AuditWebhookOptions } from './audit-webhook.ts';

interface Pem {
  cert: string;
  private: string;
}
let server: Pem;
let client: Pem;
beforeAll(async () => {
  const pem = (name: string) =>
    generate([{ name: 'commonName', value: name }], { keySize: 2048, extensions: [{ name: 'basicConstraints', cA: true }] });
  [server, client] = await Promise.all([pem('localhost'), pem('kube-apiserver')]);
});

const open: AuditWebhook[] = [];
afterEach(async () => {
  for (const webhook of open.splice(0)) await webhook.close();
});

async function start(more: Partial<AuditWebhookOptions> = {}) {
  const accepted: unknown[] = [];
  const problems: string[] = [];
  const webhook = new AuditWebhook({
    ...{ host: '127.0.0.1', port: 0, cert: server.cert, key: server.private },
    accept: async (events) => void accepted.push(...events),
    onProblem: (message) => void problems.push(message),
    ...more,
  });
  open.push(webhook);
  const port = await webhook.listen();
  const post = (body: string | Buffer, headers: Record<string, string> = {}, tls: object = {}, method = 'POST') =>
    new Promise<{ status: number; text: string; retryAfter: string | undefined }>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        method,
        ca: server.cert,
        checkServerIdentity: () => undefined,
        agent: false as const,
        ...tls,
      };
      const outgoing = request(
        {
          ...options,
          headers: { ...(headers['transfer-encoding'] ? {} : { 'content-length': String(Buffer.byteLength(body)) }), ...headers },
        },
        async (incoming) => {
          let text = '';
          for await (const chunk of incoming) text += chunk;
          resolve({ status: incoming.statusCode ?? 0, text, retryAfter: incoming.headers['retry-after'] });
        },
      );
      outgoing.on('error', reject).end(body);
    });
  return { accepted, problems, post, webhook, port };
}

const batch = (...items: unknown[]) => JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items });

describe('AuditWebhook', () => {
  it('takes an EventList over TLS', async () => {
    const { post, accepted } = await start();
    expect(await post(batch({ auditID: '1' }, { auditID: '2' }))).toMatchObject({ status: 200 });
    expect(accepted).toEqual([{ auditID: '1' }, { auditID: '2' }]);
  });

  it('takes what is selected from a body, and the whole of one that nothing can be selected from', async () => {
    const select = (body: Buffer) => (body.includes('whole') ? undefined : ['selected']);
    const { post, accepted } = await start({ select });
    expect(await post(batch({ auditID: '1' }))).toMatchObject({ status: 200 });
    expect(await post(batch({ auditID: 'whole' }))).toMatchObject({ status: 200 });
    expect(accepted).toEqual(['selected', { auditID: 'whole' }]);
  });

  it('answers 200 only when the events are kept', async () => {
    let keep = () => {};
    let answered = false;
    const { post } = await start({
      accept: () =>
        new Promise((resolve) => {
          keep = resolve;
        }),
    });
    const answer = post(batch({})).finally(() => {
      answered = true;
    });
    await until(() => keep.toString() !== '() => {}');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(answered).toBe(false);
    keep();
    expect(await answer).toMatchObject({ status: 200 });
  });

  it('answers 503 when they cannot be kept, so that they come again', async () => {
    const { post, problems } = await start({ accept: () => Promise.reject(new Error('disk full')) });
    expect(await post(batch({}))).toMatchObject({ status: 503, retryAfter: '1' });
    expect(problems).toEqual([expect.stringContaining('disk full')]);
  });

  it.each([
    ['no JSON', '{"kind":', 'no JSON'],
    ['another kind', JSON.stringify({ kind: 'Event', apiVersion: 'audit.k8s.io/v1' }), 'got audit.k8s.io/v1 Event'],
    ['an old version', JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1beta1', items: [] }), 'v1beta1'],
    ['a list of nothing', '[]', 'no kind'],
  ])('answers 400 with the reason to %s', async (_, body, because) => {
    const { post, accepted } = await start();
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(because);
    expect(accepted).toEqual([]);
  });

  it('answers 413 above the size of a body, whether it is announced or not', async () => {
    const { post } = await start({ maxBody: 1_000 });
    expect(await post(batch('x'.repeat(2_000)))).toMatchObject({ status: 413 });
    expect(await post(batch('x'.repeat(2_000)), { 'transfer-encoding': 'chunked' })).toMatchObject({
      status: 413,
    });
    expect(await post(batch('x'.repeat(500)))).toMatchObject({ status: 200 });
  });

  it('answers 429 at once above the bytes in flight, and takes more when they are done', async () => {
    const releases: (() => void)[] = [];
    const { post } = await start({ maxInFlight: 1_500, accept: () => new Promise((resolve) => releases.push(resolve)) });
    const first = post(batch('x'.repeat(900)));
    await until(() => releases.length === 1);
    expect(await post(batch('x'.repeat(900)))).toMatchObject({ status: 429, retryAfter: '1' });
    releases[0]?.();
    expect(await first).toMatchObject({ status: 200 });
    const third = post(batch('x'.repeat(900)));
    await until(() => releases.length === 2);
    releases[1]?.();
    expect(await third).toMatchObject({ status: 200 });
  });

  it('answers 429 before it reads or believes anything while nothing can be kept', async () => {
    let full = true;
    const { post, accepted } = await start({ overloaded: () => full, maxBody: 100 });
    expect(await post('x'.repeat(200))).toMatchObject({ status: 429, retryAfter: '1' });
    full = false;
    expect(await post('x'.repeat(200))).toMatchObject({ status: 413 });
    expect(await post(batch({}))).toMatchObject({ status: 200 });
    expect(accepted).toHaveLength(1);
  });

  it('lets in only who knows the token', async () => {
    const { post, accepted } = await start({ token: 'right' });
    expect(await post(batch({}))).toMatchObject({ status: 401 });
    expect(await post(batch({}), { authorization: 'Bearer wrong' })).toMatchObject({ status: 401 });
    expect(accepted).toEqual([]);
    expect(await post(batch({}), { authorization: 'Bearer right' })).toMatchObject({ status: 200 });
  });

  it('lets in only clients of the authority', async () => {
    const { post } = await start({ clientCa: client.cert });
    await expect(post(batch({}))).rejects.toThrow();
    await expect(post(batch({}), {}, { cert: server.cert, key: server.private })).rejects.toThrow();
    expect(await post(batch({}), {}, { cert: client.cert, key: client.private })).toMatchObject({ status: 200 });
  });

  it('takes nothing but POST', async () => {
    const { post } = await start();
    expect(await post('', {}, {}, 'GET')).toMatchObject({ status: 405 });
  });
});

describe('a sender that is authenticated, but slow or hostile', () => {
  const ANNOUNCED = 32 * 2 ** 20;

  /** A connection of our own; `answer` is what came back. */
  function dial(port: number) {
    const sender = { socket: connect({ host: '127.0.0.1', port, ca: server.cert, checkServerIdentity: () => undefined }), answer: '' };
    sender.socket
      .on('error', () => {})
      .on('data', (data) => {
        sender.answer += data;
      });
    sockets.push(sender.socket);
    return sender;
  }

  /** Opens connections that announce a body and send only `bytes` of it. */
  async function slowSenders(port: number, count: number, bytes: number) {
    const senders = Array.from({ length: count }, () => {
      const sender = dial(port);
      sender.socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${ANNOUNCED}\r\n\r\n${' '.repeat(bytes)}`);
      return sender;
    });
    for (const { socket } of senders) await until(() => socket.bytesWritten > bytes);
    return senders;
  }
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  it('takes no memory by announcing it: honest batches are taken beside any number of announced bytes', async () => {
    const { post, port } = await start();
    await slowSenders(port, 40, 1);
    expect(await post(batch({ auditID: '1' }))).toMatchObject({ status: 200 });
  });

  it('has a deadline for its request, body included', async () => {
    const { port } = await start({ deadline: 300 });
    const [slow] = await slowSenders(port, 1, 1);
    await until(() => slow?.socket.closed === true);
    expect(slow?.answer).toMatch(/^HTTP\/1.1 408 /);
  });

  it('gives its room to the batch of another, the one that has been coming longest first', async () => {
    const { post, port, accepted } = await start({ maxInFlight: 3_000 });
    const [first, second] = [...(await slowSenders(port, 1, 1_000)), ...(await slowSenders(port, 1, 1_000))];
    await post(batch({ auditID: '1', pad: 'x'.repeat(1_500) }));
    await until(() => first?.answer !== '');
    expect(first?.answer).toMatch(/^HTTP\/1.1 429 /);
    expect(second?.answer).toBe('');
    expect(accepted).toHaveLength(1);
  });

  it('leaves half of the room to ordinary batches, however large its own are', async () => {
    const { post, port } = await start({ maxInFlight: 16 * 2 ** 20 });
    const large = await slowSenders(port, 3, 5 * 2 ** 20);
    await until(() => large.filter(({ answer }) => answer.startsWith('HTTP/1.1 429 ')).length === 2);
    expect(await post(batch({ pad: 'x'.repeat(900_000) }))).toMatchObject({ status: 200 });
  });

  it('has one batch at a time on each connection', async () => {
    const kept: (() => void)[] = [];
    const { port } = await start({ accept: () => new Promise((resolve) => kept.push(resolve)) });
    const sender = dial(port);
    const body = batch({});
    const one = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    sender.socket.write(`${one}${one}`);
    await until(() => kept.length === 1);
    kept[0]?.();
    await until(() => (sender.answer.match(/HTTP\/1.1/g) ?? []).length === 2);
    expect(sender.answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 429']);
  });
});
