import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startApiProxy } from './api-proxy.ts';
import { CountedLog } from './counted-writes.ts';
import { compactEtcd } from './etcd-compaction.ts';
import { ExporterChild } from './exporter-child.ts';
import { Ledger, type Tally } from './ledger.ts';
import { LogRelay } from './log-relay.ts';
import { STEP } from './loss-rules.ts';
import type { Ground } from './matrix.ts';
import { NumberedWriter } from './numbered-writer.ts';
import type { Scenario } from './scenario.ts';
import { makeSmallDisk } from './small-disk.ts';
import { StubPutEvents } from './stub-put-events.ts';

/** One row, measured. */
export interface Row extends Tally {
  name: string;
  lossless: boolean;
  kills: number;
  /** Of the exporter, after its SIGTERM. */
  exitCode: number | null;
  /** What the exporter did wrong on the wire. */
  violations: string[];
  /** What else is worth to know: which disk, how many rotations, dropped records. */
  notes: string[];
  problems: string[];
}

/** Bytes: enough for the whole scenario, as long as nobody fills it. */
const SMALL_DISK = { short: 4 * 2 ** 20, long: 64 * 2 ** 20 };
/** Milliseconds between two writes. */
const PAUSE = 15;
/** How long after the trouble everything must have arrived. */
const PATIENCE = { short: 100_000, long: 120_000 };

/** Runs one scenario from its first write until everything that will ever arrive has arrived. */
export async function runScenario(scenario: Scenario, ground: Ground, long: boolean): Promise<Row> {
  const { plane, admin, webhook } = ground;
  const lasts = scenario.lasts[long ? 'long' : 'short'];
  const namespace = `row-${scenario.name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  const folder = join(ground.folder, namespace);
  await mkdir(folder);
  await admin.create('/api/v1/namespaces', { metadata: { name: namespace } });
  const { audit } = scenario;
  const auditPath = audit === 'rename' || audit === 'copytruncate' ? join(folder, 'relayed.log') : plane.auditLog;
  const relay = audit === 'rename' || audit === 'copytruncate' ? new LogRelay(plane.auditLog, auditPath, audit) : undefined;
  await relay?.start();
  if (audit === 'webhook') webhook.turn(true);
  const log = new CountedLog(plane.auditLog, namespace);
  const writer = new NumberedWriter(admin, namespace, PAUSE);
  await writer.prepare();

  const ledger = new Ledger();
  const bus = new StubPutEvents((entry) => ledger.take(entry, Date.now()));
  await bus.listen();
  const proxy = scenario.proxy && (await startApiProxy(plane));
  const disk = scenario.disk && (await makeSmallDisk(join(folder, 'disk'), SMALL_DISK[long ? 'long' : 'short']));
  const exporter = new ExporterChild({
    ...{
      server: (proxy ?? plane).server,
      ca: (proxy ?? plane).ca,
      token: plane.adminToken,
      namespace,
      bus: bus.url,
      answerWithin: long ? 3_000 : 500,
    },
    // At most every third request is counted, on two objects.
    steps: Math.ceil((2 * lasts + 60_000) / PAUSE / STEP / 6) + 2,
    directory: disk?.directory ?? join(folder, 'exporter'),
    enter: disk?.enter ?? [],
    audit: audit === 'webhook' ? webhook.listener : auditPath,
    ...(disk?.fullWhile !== undefined && { fullWhile: disk.fullWhile }),
  });
  exporter.start();
  let exitCode: number | null = null;
  try {
    await exporter.untilReady();
    writer.start();
    await delay(500);
    const end = Date.now() + lasts;
    await scenario.trouble({
      ...{ exporter, bus, lasts, disk, proxy: proxy || undefined, relay },
      async every(short, length, blow) {
        for (const pause = long ? length : short; Date.now() + pause <= end; ) {
          await delay(pause);
          await blow();
        }
      },
      restartApiServer: (down) => plane.restart(down),
      async compact() {
        const { metadata } = await admin.get(`/api/v1/namespaces/${namespace}/configmaps?limit=1`);
        await compactEtcd(plane.directory, `${metadata.resourceVersion}`);
      },
    });
    await exporter.untilReady();
    await writer.stop();
    // A whole number of steps: only then a fact tells the exact end.
    for (const [name, { length }] of await logged()) await writer.count(name, (STEP - (length % STEP)) % STEP);
    await settle();
  } finally {
    exitCode = await exporter.stop();
    if (audit === 'webhook') webhook.turn(false);
    await relay?.stop();
    await proxy?.close();
    await bus.away();
    await disk?.close();
  }
  const { dropped = {}, relists = 0, deadLettered = 0 } = exporter.stats ?? {};
  return {
    ...{ name: scenario.name, lossless: scenario.lossless ?? false, ...(await weigh()) },
    ...{ kills: exporter.kills, exitCode, violations: bus.violations, problems: exporter.problems },
    notes: [
      ...(exporter.kills > 0 ? [`${exporter.kills} kills`] : []),
      ...(disk ? [`disk: ${disk.kind}`] : []),
      ...(relay ? [`${relay.rotations} rotations`] : []),
      ...(relists > 0 ? [`${relists} relists`] : []),
      ...(deadLettered > 0 ? [`${deadLettered} dead letters`] : []),
      ...Object.entries(dropped).map(([reason, count]) => `${count} dropped: ${reason}`),
    ],
  };

  async function weigh(): Promise<Tally> {
    return ledger.weigh(writer.changes, { times: await logged(), isOrdered: audit !== 'webhook' });
  }

  /** The API server logs a request after its answer. */
  async function logged(): Promise<Map<string, number[]>> {
    for (;;) {
      const times = await log.times();
      if (Object.entries(writer.counted).every(([name, answered]) => (times.get(name)?.length ?? 0) >= answered)) return times;
      await delay(50);
    }
  }

  /** Everything arrived, or nothing more will. */
  async function settle(): Promise<void> {
    for (const deadline = Date.now() + PATIENCE[long ? 'long' : 'short']; Date.now() < deadline; await delay(200)) {
      const isIdle = exporter.stats?.spool.waiting === 0 && Date.now() - ledger.newest > 500;
      const { lost, lostOutsideGap } = await weigh();
      // In a told gap or not: what must not be lost may still be on its way.
      if (isIdle && (scenario.lossless ? lost : lostOutsideGap) === 0) return;
    }
  }
}
