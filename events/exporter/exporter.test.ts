import type { ServerResponse } from 'node:http';
import { request } from 'node:https';
import { afterEach, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import type { Envelope } from '../fact.ts';
import { Exporter } from './exporter.ts';
import type { ExporterOptions } from './exporter-options.ts';
import { json, line, startApiServer } from './testdata/api-server.ts';
import { ManualClock, until } from './testdata/manual-clock.ts';
import { readRecording } from './testdata/recording.ts';
import { T0 } from './testdata/records.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const kafkas = { group: ['kafka.strimzi.io'], resource: ['kafkas'] };
const storm = {
  name: 'storm',
  pattern: {
    source: ['kubernetes'],
    'detail-type': ['Writes Counted'],
    detail: { object: kafkas, window: { seconds: [600] }, phantoms: [{ numeric: ['>=', 3] }] },
  },
};
const versions = readRecording('strimzi-storm-start').flatMap(({ watch }) => (watch?.resource === 'kafkas' ? [watch.object] : []));

/** An exporter on an API server that serves the recording's Kafka, once `installed`. */
async function start(more: Partial<ExporterOptions> = {}, installed = { yes: true }) {
  let stream: ServerResponse | undefined;
  const server = await startApiServer((response, url) => {
    if (!installed.yes) json(response, {}, 404);
    else if (url.pathname === '/apis/kafka.strimzi.io')
      json(response, { versions: [{ version: 'v1beta2' }], preferredVersion: { version: 'v1beta2' } });
    else if (url.pathname === '/apis/kafka.strimzi.io/v1beta2')
      json(response, { resources: [{ name: 'kafkas', kind: 'Kafka', namespaced: true }] });
    else if (url.searchParams.has('watch')) {
      stream = response;
      response.writeHead(200).flushHeaders();
    } else
      json(response, {
        apiVersion: 'kafka.strimzi.io/v1beta2',
        kind: 'KafkaList',
        metadata: { resourceVersion: '1' },
        items: [versions[0]],
      });
  });
  cleanups.push(() => server.close());
  const clock = new ManualClock(T0);
  const sent: Envelope[] = [];
  const problems: string[] = [];
  const exporter = new Exporter({
    ...{ cluster: 'test', rules: [storm], open: server.open, clock, wait: clock.wait, random: () => 0.5 },
    sink: { put: async (events) => void sent.push(...events) },
    onProblem: (message) => void problems.push(message),
    ...more,
  });
  const { auditPort } = await exporter.start();
  cleanups.push(() => exporter.stop());
  const send = (object: unknown) => line(stream as ServerResponse, 'MODIFIED', object);
  return {
    exporter,
    server,
    clock,
    sent,
    problems,
    send,
    auditPort,
    watches: () => server.requests.filter((path) => path.includes('watch=1')).length,
  };
}

const audit = (auditID: string) => ({
  ...{
    kind: 'Event',
    auditID,
    stage: 'ResponseComplete',
    verb: 'update',
    user: { username: 'operator' },
    userAgent: 'strimzi-cluster-operator/0.43.0',
  },
  requestURI: '/apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkas/my-cluster/status',
  objectRef: {
    apiGroup: 'kafka.strimzi.io',
    apiVersion: 'v1beta2',
    resource: 'kafkas',
    subresource: 'status',
    namespace: 'kafka',
    name: 'my-cluster',
  },
  responseStatus: { code: 200 },
  stageTimestamp: new Date(T0).toISOString(),
});

describe('Exporter', () => {
  it('watches what the rules name, and sends the fact with the third phantom write', async () => {
    const { exporter, send, sent } = await start();
    expect(exporter.ready()).toBe(false);
    await until(() => exporter.ready());
    for (const version of versions.slice(1, 3)) send(version);
    await until(() => exporter.stats().events === 3);
    expect(sent).toEqual([]);
    send(versions[3]);
    await until(() => sent.length === 1);
    expect(sent[0]).toMatchObject({
      'detail-type': 'Writes Counted',
      detail: { cluster: 'test', phantoms: 3, object: { name: 'my-cluster' } },
    });
  });

  it('takes audit over its webhook, and so names the writer', async () => {
    const pem = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
    const { exporter, send, sent, auditPort, problems } = await start({
      auditWebhook: { host: '127.0.0.1', port: 0, cert: pem.cert, key: pem.private, token: 't' },
    });
    await until(() => exporter.ready());
    const body = JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items: [audit('1'), audit('2'), 'nonsense'] });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: auditPort,
        method: 'POST',
        rejectUnauthorized: false,
        headers: { authorization: 'Bearer t' },
      };
      request(options, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end(body);
    });
    expect(status).toBe(200);
    expect(problems).toEqual([expect.stringContaining('1 of 3 audit events were malformed')]);
    for (const version of versions.slice(1, 4)) send(version);
    await until(() => sent.length === 1);
    expect(sent[0]?.detail).toMatchObject({
      writes: 2,
      phantoms: 3,
      coverage: { dropped: 1 },
      actors: [{ user: 'operator', userAgent: 'strimzi-cluster-operator/0.43.0' }],
    });
  });

  it('sends a held fact when its time has come', async () => {
    const { exporter, send, sent, clock } = await start();
    await exporter.acceptAudit([{ ...audit('1'), objectRef: { ...audit('1').objectRef, name: 'unrelated' } }]);
    await until(() => exporter.ready());
    for (const version of versions.slice(1, 4)) send(version);
    await until(() => exporter.stats().events === 4);
    expect(sent).toEqual([]);
    for (let second = 1; second <= 3; second++) {
      await until(() => clock.pending().includes(1_000));
      clock.advance(1_000);
    }
    await until(() => sent.length === 1);
  });

  it('is ready without a resource that is not installed, and finds it within 10 s', async () => {
    const installed = { yes: false };
    const { exporter, clock, watches } = await start({}, installed);
    await until(() => exporter.ready());
    expect(exporter.stats().watches).toEqual({ 'kafka.strimzi.io/kafkas': 'absent' });
    installed.yes = true;
    await until(() => clock.pending().includes(10_000));
    clock.advance(10_000);
    await until(() => watches() === 1);
    await until(() => exporter.stats().watches['kafka.strimzi.io/kafkas'] === 'watching');
  });

  it('is not ready while it cannot see', async () => {
    const { exporter, server, problems } = await start();
    await until(() => exporter.ready());
    await server.close();
    await until(() => !exporter.ready());
    await until(() => problems.length > 0);
  });

  it('refuses a rule that it cannot serve, by name', async () => {
    await expect(
      start({ rules: [{ name: 'everything', pattern: { source: ['kubernetes'], 'detail-type': ['Object Changed'] } }] }),
    ).rejects.toThrow('Rule everything');
  });
});
