import { open, stat } from 'node:fs/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { auditFile } from '../../events/exporter/audit/audit-file.ts';
import { Exporter } from '../../events/exporter/exporter.ts';
import type { ExporterStats } from '../../events/exporter/health/stats.ts';
import { PutEventsSink } from '../../events/exporter/sink/put-events.ts';
import { realWait } from '../../events/exporter/wait.ts';
import { Transport } from '../../shared/kubernetes/transport.ts';
import { lossRules } from './loss-rules.ts';

/** What the process is told in its only argument, as JSON. */
export interface ExporterConfig {
  server: string;
  ca: string;
  token: string;
  namespace: string;
  steps: number;
  directory: string;
  /** Of the stub of PutEvents. */
  bus: string;
  /** Milliseconds that a PutEvents call may take. */
  answerWithin: number;
  /** Path of an audit log, or where to receive the webhook. */
  audit: string | { port: number; cert: string; key: string };
  /** While this file exists, every write to a file fails as on a full disk: where no small disk can be mounted. */
  fullWhile?: string;
}

/** What the process tells whoever started it. */
export type ExporterMessage = { ready: boolean; stats: ExporterStats } | { problem: string };

// An exporter in a process of its own, so that it can be killed.
const { server, ca, token, namespace, steps, directory, bus, answerWithin, audit, fullWhile } = JSON.parse(
  process.argv[2] ?? '',
) as ExporterConfig;
const tell = (message: ExporterMessage): void => void (process.connected && process.send?.(message, () => {}));
const onProblem = (problem: string): void => tell({ problem });
if (fullWhile) await injectFullDisk(fullWhile);

const client = new EventBridgeClient({
  ...{ region: 'eu-west-1', endpoint: bus, maxAttempts: 3 },
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'none' },
});
const transport = new Transport({ server, ca, token: async () => token, userAgent: 'kubemend (exporter)' });
const exporter = new Exporter({
  ...{ cluster: namespace, rules: lossRules(namespace, steps), directory, onProblem, random: Math.random, clock: Date },
  open: (path, signal, accept) => transport.open(path, signal, accept),
  sink: new PutEventsSink({ client, bus: 'facts', random: Math.random, wait: realWait, answerWithin }),
  ...(typeof audit === 'string'
    ? { sources: [auditFile({ path: audit, pollEvery: 100 })] }
    : { auditWebhook: { host: '127.0.0.1', ...audit } }),
});
await exporter.start();
const telling = setInterval(() => tell({ ready: exporter.ready(), stats: exporter.stats() }), 100);
process.once('SIGTERM', async () => {
  clearInterval(telling);
  await exporter.stop();
  process.exit(0);
});
process.once('disconnect', () => process.exit(1));

/** Replaces what writes to files in this process: every FileHandle has the same prototype. */
async function injectFullDisk(marker: string): Promise<void> {
  const handle = await open(process.execPath);
  const prototype = Object.getPrototypeOf(handle) as Record<'write' | 'writeFile' | 'appendFile', (...args: unknown[]) => Promise<unknown>>;
  await handle.close();
  for (const name of ['write', 'writeFile', 'appendFile'] as const) {
    const real = prototype[name];
    prototype[name] = async function (...args) {
      const isFull = await stat(marker).then(
        () => true,
        () => false,
      );
      if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      return real.apply(this, args);
    };
  }
}
