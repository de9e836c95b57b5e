import type { AuditSource } from '../../events/exporter/audit/audit-source.ts';
import { Exporter } from '../../events/exporter/exporter.ts';
import type { AuditListener } from '../../events/exporter/exporter-options.ts';
import { type Blindness, blindness } from '../../events/exporter/health/blindness.ts';
import { Probes } from '../../events/exporter/health/probes.ts';
import type { ExporterStats } from '../../events/exporter/health/stats.ts';
import { AUDIT_WEBHOOK } from '../../events/exporter/intake.ts';
import type { Rule } from '../../events/exporter/reduce/rules.ts';
import type { Sink } from '../../events/exporter/sink/sink.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';

/** How an exporter that runs alone is set up. */
export interface StandaloneOptions {
  /** Named in every fact. */
  cluster: string;
  rules: Rule[];
  connection: Connection;
  sink: Sink;
  /** Of the spool and the checkpoints; without it a restart forgets everything. */
  directory?: string;
  /** Most bytes of the spool. */
  spoolCap?: number;
  auditWebhook?: AuditListener;
  sources?: AuditSource[];
  /** Milliseconds without an audit event after which it calls itself blind. */
  auditSilence: number;
  /** Where `/metrics`, `/healthz`, `/readyz` and `/status` are served; nowhere when absent. */
  probes?: { host: string; port: number };
  onProblem(message: string): void;
  now(): number;
  random(): number;
}

/** A running exporter. */
export interface Standalone {
  /** Where it listens. */
  ports: { audit?: number; probes?: number };
  stats(): ExporterStats;
  /** Why it is blind; none when it sees. */
  blindness(): Blindness[];
  /** Throws when key and certificate do not fit. */
  renewCertificate(cert: string, key: string): void;
  /** Ends the sources first, then hands over what can still be sent. */
  stop(): Promise<void>;
}

/** Starts watches, audit sources and probes, one after the other. When one cannot start, those that did are stopped, the newest first. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const {
    cluster,
    rules,
    connection,
    sink,
    auditWebhook,
    sources = [],
    auditSilence,
    onProblem,
    now,
    random,
    directory,
    spoolCap,
  } = options;
  const parts = new AsyncDisposableStack();
  try {
    const transport = new Transport(connection);
    parts.defer(() => transport.close());
    const exporter = new Exporter({
      ...{ cluster, rules, sink, onProblem, random, clock: { now } },
      open: (path, signal, accept) => transport.open(path, signal, accept),
      ...{ sources, ...(directory && { directory }), ...(spoolCap && { spoolCap }), ...(auditWebhook && { auditWebhook }) },
    });
    const auditSources = [...(auditWebhook ? [AUDIT_WEBHOOK] : []), ...sources.map(({ name }) => name)];
    const expected = { auditSources, auditSilence, startedAt: now() };
    const stats = () => exporter.stats();
    const why = () => blindness(stats(), expected, now());
    const probes = options.probes && new Probes({ ...options.probes, cluster, auditSources, now, stats, blindness: why });
    const probesPort = await probes?.listen();
    parts.defer(() => probes?.close());
    const { auditPort } = await exporter.start();
    parts.defer(() => exporter.stop());
    return {
      ports: { ...(auditPort !== undefined && { audit: auditPort }), ...(probesPort !== undefined && { probes: probesPort }) },
      ...{ stats, blindness: why },
      renewCertificate: (cert, key) => exporter.renewCertificate(cert, key),
      stop: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}
