// An exporter in a process of its own, so that its memory is its own. Takes its setup as JSON in argv, tells every second over IPC what it counts.
import { request } from 'node:http';
import { Exporter } from '../events/exporter/exporter.ts';
import type { Rule } from '../events/exporter/reduce/rules.ts';
import type { Sink } from '../events/exporter/sink/sink.ts';
import type { Open } from '../events/exporter/watch/open.ts';

/** What the parent asks for. */
export interface Setup {
  rules: Rule[];
  /** Of a stub of the API server, plain HTTP. */
  apiPort: number;
  directory: string;
  spoolCap?: number;
  webhook?: { cert: string; key: string };
  /** A stalled bus takes nothing and answers nothing. */
  sink: 'stalled' | 'counting';
}

/** What it tells. */
export interface Told {
  auditPort?: number | undefined;
  ready: boolean;
  rssMiB: number;
  events: number;
  requests: number;
  spoolBytes: number;
  delivered: number;
  /** Facts by rule, and records lost by reason. */
  facts: Record<string, number>;
  dropped: Record<string, number>;
  problems: string[];
}

if (process.send) {
  const setup = JSON.parse(process.argv[2] ?? '{}') as Setup;
  let delivered = 0;
  const problems: string[] = [];
  const sinks: Record<Setup['sink'], Sink> = {
    stalled: { put: () => new Promise(() => {}) },
    counting: {
      put: async (facts) => {
        delivered += facts.length;
      },
    },
  };
  const open: Open = (path, signal, accept = 'application/json') =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: setup.apiPort, path, signal, headers: { accept } }, (incoming) =>
        resolve({ status: incoming.statusCode ?? 0, body: incoming as AsyncIterable<Buffer> }),
      );
      outgoing.on('error', reject).end();
    });
  const exporter = new Exporter({
    ...{ cluster: 'bench', rules: setup.rules, open, sink: sinks[setup.sink], clock: Date, random: Math.random },
    ...{ directory: setup.directory, ...(setup.spoolCap && { spoolCap: setup.spoolCap }) },
    ...(setup.webhook && { auditWebhook: { host: '127.0.0.1', port: 0, ...setup.webhook } }),
    onProblem: (message) => void (problems.length < 20 && problems.push(message)),
  });
  const { auditPort } = await exporter.start();
  const tell = () => {
    const { events, requests, spool, facts, dropped } = exporter.stats();
    const rssMiB = process.memoryUsage.rss() / 2 ** 20;
    const counts = { events, requests, spoolBytes: spool.bytes, delivered, facts, dropped };
    const told: Told = { auditPort, ready: exporter.ready(), rssMiB, ...counts, problems };
    process.send?.(told);
  };
  tell();
  setInterval(tell, 1_000);
  process.on('disconnect', () => process.exit());
}
