import type { ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { json, startApiServer } from '../../events/exporter/testdata/api-server.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { chartLimitMiB } from '../chart-limit.ts';
import { flatness, startExporter } from '../exporter-child.ts';
import type { BenchOptions, Findings, Section } from '../section.ts';

/** The API server's default batch, and how many of them it sends in a second at most; one of them is left for the storm. */
const BATCH = 400;
const BATCHES_PER_SECOND = 9;
const NAMES = 100_000;
const CODES = [401, 403, 404, 409, 422];
const RULE = 'strimzi/upgrade-stale-crds';
/** Seconds between two writes of the storm, as a real operator was measured. */
const STORM_EVERY = 3;
const GROUP = 'kafka.strimzi.io';

/** A real storm beside rejected requests on invented names, at the rate cap of an API server, with the rules of all remediations. */
export const section: Section = { name: 'rejected', run };

async function run({ seconds, quick, progress }: BenchOptions): Promise<Findings> {
  const pem = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
  let stream: ServerResponse | undefined;
  const api = await startApiServer((response, { pathname, searchParams }) => {
    if (pathname === `/apis/${GROUP}`) return json(response, { preferredVersion: { version: 'v1' }, versions: [{ version: 'v1' }] });
    if (pathname === `/apis/${GROUP}/v1`)
      return json(response, { resources: [{ name: 'kafkas', kind: 'Kafka', namespaced: true, verbs: ['list', 'watch'] }] });
    if (!pathname.includes('kafkas')) return json(response, {}, 404);
    if (!searchParams.has('watch')) return json(response, { metadata: { resourceVersion: '1' }, items: [kafka(1)] });
    stream = response.writeHead(200);
    stream.flushHeaders();
  });
  const rules = (await loadRemediations()).flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
  const webhook = { cert: pem.cert, key: pem.private };
  const exporter = await startExporter({ rules, apiPort: api.port, sink: 'counting', webhook });
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca: pem.cert, checkServerIdentity: () => undefined });
  const send = (items: object[]): Promise<number> => {
    const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items.map((one) => JSON.stringify(one)).join()}]}\n`;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const headers = { 'content-length': Buffer.byteLength(body) };
    const outgoing = request({ host: '127.0.0.1', port: exporter.told().auditPort, method: 'POST', agent, headers }, (incoming) => {
      incoming.resume().on('end', () => resolve(incoming.statusCode ?? 0));
    });
    outgoing.on('error', reject).end(body);
    return promise;
  };
  // As the API server does: the connection may have been closed as idle at this moment.
  const post = (items: object[]): Promise<number> => send(items).catch(() => send(items));

  try {
    await exporter.until(({ ready }) => ready);
    while (!stream) await delay(20);
    const rate = BATCH * BATCHES_PER_SECOND;
    // Every invented name has come at least once before the storm begins.
    const stormFrom = quick ? 1 : Math.ceil(NAMES / rate) + 10;
    progress(`Rejected: ${rate} rejected requests/s for ${seconds} s; the storm begins after ${stormFrom} s`);
    const from = exporter.memory.length;
    const began = performance.now();
    const answers: Promise<number>[] = [];
    let [sent, written, foundAfter] = [0, 0, Number.NaN];
    for (let batch = 0; batch < seconds * BATCHES_PER_SECOND; batch++) {
      await delay(Math.max(0, began + (batch * 1_000) / BATCHES_PER_SECOND - performance.now()));
      const elapsed = (performance.now() - began) / 1_000;
      if (elapsed >= stormFrom + written * STORM_EVERY) {
        written++;
        answers.push(post([event(`storm-${written}`, 'my-cluster', 200, OPERATOR)]));
        stream.write(`${JSON.stringify({ type: 'MODIFIED', object: kafka(written + 1) })}\n`);
      }
      answers.push(post(Array.from({ length: BATCH }, () => rejected(sent++))));
      if (Number.isNaN(foundAfter) && (exporter.told().facts[RULE] ?? 0) > 0) foundAfter = elapsed - stormFrom;
    }
    const statuses = await Promise.all(answers);
    const { requests, facts, dropped } = await exporter.until((told) => told.requests >= sent);
    const memory = flatness(exporter.memory.slice(from));
    const limit = chartLimitMiB();
    const taken = statuses.filter((status) => status === 200).length;
    return {
      tables: [
        {
          title: 'Rejected requests: a storm beside 100,000 invented names',
          columns: ['rejected requests', 'names', 'batches', 'answered 200', 'storm writes', 'storm facts', 'found after, s'],
          rows: [[sent, Math.min(sent, NAMES), statuses.length, taken, written, facts[RULE] ?? 0, Number(foundAfter.toFixed(1))]],
          notes: [
            `${rate} requests/s for ${seconds} s over the audit webhook, answered ${CODES.join(', ')}: a third unauthenticated, the rest of 50 ServiceAccounts. The rules are those of all remediations.`,
            `The storm: a status PUT every ${STORM_EVERY} s that only moves a time, in audit and watch, from second ${stormFrom} on. Found: the first fact, which needs three writes (${2 * STORM_EVERY} s).`,
            `Memory (RSS of the exporter): ${memory.early} MiB in the first fifth, ${memory.late} MiB in the last, peak ${memory.peak} MiB; the chart's limit is ${limit} MiB.`,
            `Not counted because of a bound: ${
              Object.entries(dropped)
                .map(([reason, count]) => `${count} × ${reason}`)
                .join(', ') || 'nothing'
            }.`,
          ],
        },
      ],
      json: {
        rejected: { requests, names: NAMES, seconds, stormFacts: facts[RULE] ?? 0, foundAfter, rssMiB: memory, limitMiB: limit, dropped },
      },
    };
  } finally {
    agent.destroy();
    exporter.stop();
    await api.close();
  }
}

const OPERATOR = { username: 'system:serviceaccount:kafka:strimzi-cluster-operator', groups: ['system:authenticated'] };

function rejected(i: number): object {
  const code = CODES[i % CODES.length] ?? 403;
  const anonymous = { username: 'system:anonymous', groups: ['system:unauthenticated'] };
  const account = { username: `system:serviceaccount:tenant-${i % 50}:default`, groups: ['system:authenticated'] };
  return event(`rejected-${i}`, `no-such-${i % NAMES}`, code, i % 3 === 0 ? anonymous : account);
}

const event = (id: string, name: string, code: number, user: object): object => ({
  ...{ level: 'Metadata', auditID: id.padEnd(36, '-'), stage: 'ResponseComplete' },
  requestURI: `/apis/${GROUP}/v1/namespaces/kafka/kafkas/${name}/status?timeout=30s`,
  ...{ verb: 'update', user, sourceIPs: ['10.0.0.7'], userAgent: 'strimzi-cluster-operator/0.43.0' },
  objectRef: { resource: 'kafkas', namespace: 'kafka', name, apiGroup: GROUP, apiVersion: 'v1', subresource: 'status' },
  responseStatus: { metadata: {}, code },
  stageTimestamp: new Date().toISOString(),
  annotations: { 'authorization.k8s.io/decision': code === 200 ? 'allow' : 'forbid' },
});

const kafka = (version: number) => ({
  ...{ apiVersion: `${GROUP}/v1`, kind: 'Kafka' },
  metadata: { name: 'my-cluster', namespace: 'kafka', uid: 'kafka-1', resourceVersion: String(version), generation: 1 },
  spec: { kafka: { version: '4.1.0' } },
  status: {
    observedGeneration: 1,
    conditions: [{ type: 'Ready', lastTransitionTime: new Date(1_795_000_000_000 + version).toISOString() }],
  },
});
