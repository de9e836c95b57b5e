import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { startApiServer } from '../../events/exporter/testdata/api-server.ts';
import { eventMaker, HIT_RESOURCES } from '../corpus.ts';
import { flatness, startExporter } from '../exporter-child.ts';
import type { BenchOptions, Findings, Section } from '../section.ts';

/** The API server's default batch. */
const BATCH = 400;
const TYPE = '"kind":"Event","apiVersion":"audit.k8s.io/v1",';
const LATENCY_FACTOR = 5;
/** Enough for the sustained part; small enough to be filled in a short while after it. */
const CAP = 768 * 2 ** 20;

/** Audit at the rate cap of an API server over TLS, while the bus takes nothing. */
export const section: Section = { name: 'webhook', run };

async function run({ seconds, rate, seed, quick, progress }: BenchOptions): Promise<Findings> {
  const pem = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
  // No resource is served: what comes, comes from audit.
  const api = await startApiServer((response) => void response.writeHead(404).end('{}'));
  const rules = HIT_RESOURCES.map(({ group, resource }) => ({
    name: resource,
    pattern: { source: ['kubernetes'], 'detail-type': ['Writes Counted'], detail: { object: { group: [group], resource: [resource] } } },
  }));
  const cap = quick ? 2 ** 25 : CAP;
  const exporter = await startExporter({
    rules,
    apiPort: api.port,
    sink: 'stalled',
    spoolCap: cap,
    webhook: { cert: pem.cert, key: pem.private },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca: pem.cert, checkServerIdentity: () => undefined });
  const next = eventMaker(seed);
  const body = () => {
    const items = Array.from({ length: BATCH }, () => next().trimEnd().replace(TYPE, ''));
    return Buffer.from(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items.join()}]}\n`);
  };
  const { auditPort } = exporter.told();
  const post = async (batch: Buffer) => {
    const began = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; retryAfter: string | undefined }>();
    const outgoing = request(
      { host: '127.0.0.1', port: auditPort, method: 'POST', agent, headers: { 'content-length': batch.length } },
      (incoming) => {
        incoming.resume().on('end', () => resolve({ status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'] }));
      },
    );
    outgoing.on('error', reject).end(batch);
    const answer = await promise;
    return { ...answer, ms: performance.now() - began };
  };
  /** Sends at a fixed pace, whether answers come or not. */
  const paced = async (perSecond: number, count: number) => {
    const answers: ReturnType<typeof post>[] = [];
    const began = performance.now();
    for (let i = 0; i < count; i += 1) {
      const batch = body();
      await delay(Math.max(0, began + (i * 1_000) / perSecond - performance.now()));
      answers.push(post(batch));
    }
    return Promise.all(answers);
  };

  try {
    await paced(10, 20); // warm
    progress('Webhook: one batch at a time');
    const unloaded = await paced(2, quick ? 10 : 120);
    progress(`Webhook: ${rate} events/s for ${seconds} s`);
    const from = exporter.memory.length;
    const loaded = await paced(rate / BATCH, Math.round((seconds * rate) / BATCH));
    const memory = flatness(exporter.memory.slice(from));
    const full = await untilRefused(post, body, () => exporter.told().spoolBytes, progress);
    const [quiet, busy] = [percentiles(unloaded), percentiles(loaded)];
    const taken = loaded.filter(({ status }) => status === 200).length;
    return {
      tables: [
        {
          title: 'Webhook: audit over TLS while the bus takes nothing',
          columns: ['', 'batches', 'answered 200', 'p50 ms', 'p99 ms', 'max ms'],
          rows: [
            ['one at a time', unloaded.length, unloaded.filter(({ status }) => status === 200).length, ...quiet],
            [`${rate} events/s`, loaded.length, taken, ...busy],
          ],
          notes: [
            `Batches of ${BATCH} events, ${Math.round(seconds)} s, each made durable before its answer; bus stalled all the time. p99 is ${(busy[1] / quiet[1]).toFixed(1)} × that of the same run without load; the limit is ${LATENCY_FACTOR}.`,
            `Memory (RSS of the exporter): ${memory.early} MiB in the first fifth, ${memory.late} MiB in the last, peak ${memory.peak} MiB.`,
            full,
          ],
        },
      ],
      json: {
        webhook: { eventsPerSecond: rate, seconds, batches: loaded.length, taken, p99Ms: busy[1], unloadedP99Ms: quiet[1], rssMiB: memory },
      },
    };
  } finally {
    agent.destroy();
    exporter.stop();
    await api.close();
  }
}

/** Sends as fast as it goes until the spool is at its cap. */
async function untilRefused(
  post: (batch: Buffer) => Promise<{ status: number; retryAfter: string | undefined; ms: number }>,
  body: () => Buffer,
  spoolBytes: () => number,
  progress: (line: string) => void,
): Promise<string> {
  progress('Webhook: as fast as it goes until the spool is full');
  const limit = performance.now() + 600_000;
  while (performance.now() < limit) {
    const { status, retryAfter, ms } = await post(body());
    if (status === 200) continue;
    const again = await post(body());
    return `With the spool at its cap: ${status} after ${ms.toFixed(1)} ms, Retry-After ${retryAfter}; the next ${again.status} after ${again.ms.toFixed(1)} ms.`;
  }
  return `The cap was not reached within ten minutes: the spool held ${Math.round(spoolBytes() / 2 ** 20)} MiB.`;
}

function percentiles(answers: { ms: number }[]): [number, number, number] {
  const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1));
  return [at(0.5), at(0.99), at(1)];
}
