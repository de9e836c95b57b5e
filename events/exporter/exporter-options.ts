import type { AuditSource } from './audit/audit-source.ts';
import type { AuditWebhookOptions } from './audit/audit-webhook.ts';
import type { Recorder } from './intake.ts';
import type { Rule } from './reduce/rules.ts';
import type { Sink } from './sink/sink.ts';
import type { Wait } from './wait.ts';
import type { Open } from './watch/open.ts';

/** Where to receive the API server's audit webhook, and whom to believe. */
export type AuditListener = Omit<AuditWebhookOptions, 'accept' | 'select' | 'overloaded' | 'dropped' | 'onProblem' | 'now'>;

/** How an exporter is set up. */
export interface ExporterOptions {
  /** Named in every fact. */
  cluster: string;
  rules: Rule[];
  /** `Transport.open`, or any other GET to the API server. */
  open: Open;
  sink: Sink;
  clock: { now(): number };
  random(): number;
  /** Spool, checkpoints and dead letters, for one exporter at a time. Without it a restart forgets everything. */
  directory?: string;
  /** Most bytes of the spool; default 512 MiB. Above it no audit is taken, and watches wait. */
  spoolCap?: number;
  /** Prefixes of kubemend's own user names. */
  ownUsers?: string[];
  auditWebhook?: AuditListener;
  /** Other places that audit events come from. */
  sources?: AuditSource[];
  /** Is shown what came in as it came, whole: a recording. Of audit only what the rules are about. */
  record?: Recorder;
  /** Told in sentences what is wrong; the exporter goes on. */
  onProblem(message: string): void;
  /** Timers; real ones by default. */
  wait?: Wait;
}
