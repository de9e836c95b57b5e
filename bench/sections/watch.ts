import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { json, startApiServer } from '../../events/exporter/testdata/api-server.ts';
import { flatness, startExporter } from '../exporter-child.ts';
import type { BenchOptions, Findings, Section } from '../section.ts';

const OBJECTS = 10_000;
const RATE = 1_000;
const TICKS = 20;

/** A stub of the API server that streams changes of many objects to an exporter. */
export const section: Section = { name: 'watch', run };

async function run({ quick, seconds, progress }: BenchOptions): Promise<Findings> {
  const objects = Array.from({ length: OBJECTS }, (_, i) => kafka(i));
  let version = OBJECTS;
  let stream: ServerResponse | undefined;
  const api = await startApiServer((response, { pathname, searchParams }) => {
    if (pathname === '/apis/kafka.strimzi.io')
      return json(response, { preferredVersion: { version: 'v1' }, versions: [{ groupVersion: 'kafka.strimzi.io/v1', version: 'v1' }] });
    if (pathname === '/apis/kafka.strimzi.io/v1')
      return json(response, { resources: [{ name: 'kafkas', kind: 'Kafka', namespaced: true, verbs: ['list', 'watch'] }] });
    if (searchParams.has('watch')) {
      stream = response.writeHead(200);
      stream.flushHeaders();
      return;
    }
    const from = Number(searchParams.get('continue') ?? 0);
    const limit = Number(searchParams.get('limit') ?? OBJECTS);
    const more = from + limit < OBJECTS ? { continue: String(from + limit) } : {};
    return json(response, { metadata: { resourceVersion: String(version), ...more }, items: objects.slice(from, from + limit) });
  });
  const rules = [
    {
      name: 'every-change',
      pattern: {
        ...{ source: ['kubernetes'], 'detail-type': ['Object Changed'] },
        detail: { object: { group: ['kafka.strimzi.io'], resource: ['kafkas'] }, change: ['modified'] },
      },
    },
  ];
  const exporter = await startExporter({ rules, apiPort: api.port, sink: 'counting' });
  try {
    await exporter.until(({ ready }) => ready);
    while (!stream) await delay(20);
    const total = (quick ? Math.min(seconds, 10) : Math.min(seconds, 120)) * RATE;
    progress(`Watch: ${total} changes of ${OBJECTS} objects, ${RATE}/s`);
    const from = exporter.memory.length;
    const began = performance.now();
    for (let sent = 0; sent < total; ) {
      for (let i = 0; i < RATE / TICKS; i += 1, sent += 1) {
        version += 1;
        const changed = kafka(version % OBJECTS, version);
        stream.write(`${JSON.stringify({ type: 'MODIFIED', object: changed })}\n`);
      }
      await delay(Math.max(0, began + (sent * 1_000) / RATE - performance.now()));
    }
    const { delivered } = await exporter.until((told) => told.delivered >= total).catch(() => exporter.told());
    const memory = flatness(exporter.memory.slice(from));
    return {
      tables: [
        {
          title: 'Watch: many objects, many changes',
          columns: ['objects', 'changes/s', 'changes sent', 'facts delivered', 'missed', 'RSS first fifth', 'RSS last fifth', 'peak MiB'],
          rows: [[OBJECTS, RATE, total, delivered, total - delivered, memory.early, memory.late, memory.peak]],
          notes: ['Every change is a fact here (the rule asks for all of them), made durable and delivered to a sink that counts.'],
        },
      ],
      json: { watch: { objects: OBJECTS, changesPerSecond: RATE, sent: total, missed: total - delivered, rssMiB: memory } },
    };
  } finally {
    exporter.stop();
    await api.close();
  }
}

/** About 2 kB, as a Kafka resource is. */
const kafka = (i: number, version = i + 1) => ({
  ...{ apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka' },
  metadata: {
    name: `kafka-${i}`,
    namespace: 'bench',
    uid: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    resourceVersion: String(version),
    generation: 1,
  },
  spec: { kafka: { version: '4.1.0', config: { note: 'x'.repeat(1_200) } } },
  status: {
    observedGeneration: 1,
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: new Date(1_795_000_000_000 + version).toISOString() }],
    clusterId: `${version}`,
  },
});
