import type { Checkpoint } from '../spool/checkpoint-file.ts';
import type { Wait } from '../wait.ts';
import type { ParseLines } from './audit-lines.ts';

/** What an audit source is given. Times in milliseconds. */
export interface AuditSourceContext {
  /** Takes audit.k8s.io/v1 Events; resolves when they are durable: only then move the checkpoint. Rejects when they are not; try the same again later. */
  accept(events: unknown[]): Promise<void>;
  /** Reads lines of a log faster than JSON.parse would: it leaves out what no rule is about. */
  parse?: ParseLines;
  /** Counts records that were lost before they could be read, by reason. */
  dropped(count: number, reason: string): void;
  /** Nothing was seen of this interval, and nothing of it will come. */
  gap(fromMs: number, toMs: number): void;
  checkpoint: Checkpoint;
  signal: AbortSignal;
  /** Told in sentences what is wrong; the source goes on. */
  onProblem(message: string): void;
  now(): number;
  random(): number;
  wait: Wait;
}

/** A place that audit events come from, other than the webhook: a log file, CloudWatch Logs. */
export interface AuditSource {
  /** Labels metrics and names the checkpoint: `audit-file`, `audit-cloudwatch`. */
  name: string;
  /** Reads until the signal aborts. Rejects only when going on makes no sense. */
  run(context: AuditSourceContext): Promise<void>;
}
