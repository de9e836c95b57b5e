import { setTimeout as delay } from 'node:timers/promises';
import type { AuditSource, AuditSourceContext } from '../audit-source.ts';

/** What an audit source told while it ran. */
export interface Told {
  /** auditIDs, in the order of their acceptance. */
  ids: string[];
  batches: unknown[][];
  dropped: Record<string, number>;
  gaps: [from: number, to: number][];
  problems: string[];
  /** The last checkpoint written. */
  checkpoint: unknown;
}

/** A running source, and what it told so far. */
export interface AuditReading extends Told {
  /** Aborts the source and waits for its end. */
  stop(): Promise<Told>;
}

/** Runs a source with waits of at most 5 ms. `more` replaces parts of what it is given. */
export function readAudit(source: AuditSource, saved?: unknown, more: Partial<AuditSourceContext> = {}): AuditReading {
  const stopping = new AbortController();
  const told: Told = { ids: [], batches: [], dropped: {}, gaps: [], problems: [], checkpoint: saved };
  const running = source.run({
    accept: async (events) => {
      told.batches.push(events);
      told.ids.push(...events.map((event) => (event as { auditID: string }).auditID));
    },
    dropped: (count, reason) => {
      told.dropped[reason] = (told.dropped[reason] ?? 0) + count;
    },
    gap: (from, to) => void told.gaps.push([from, to]),
    checkpoint: {
      read: () => saved,
      write: async (value) => {
        told.checkpoint = structuredClone(value);
      },
    },
    onProblem: (message) => void told.problems.push(message),
    signal: stopping.signal,
    now: () => Date.now(),
    random: () => 0.5,
    wait: (ms, signal) => delay(Math.min(ms, 5), undefined, { signal }).catch(() => {}),
    ...more,
  });
  const stop = async (): Promise<Told> => {
    stopping.abort();
    await running;
    return told;
  };
  return Object.assign(told, { stop });
}

/** Polls until the condition holds; the error shows `what` it was waiting in. */
export async function eventually(condition: () => boolean, what: unknown): Promise<void> {
  for (const start = Date.now(); !condition(); await delay(2)) {
    if (Date.now() - start > 20_000) throw new Error(`Never came true: ${condition}, in ${JSON.stringify(what).slice(0, 2_000)}`);
  }
}

/** A line of an audit log, as kube-apiserver begins and ends it: event `id`, `id` seconds after 10:00. */
export const auditLine = (id: number, padding = 0): string =>
  `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"${id}","requestObject":"${'x'.repeat(padding)}","stageTimestamp":"${new Date(secondsAfter(id)).toISOString()}"}\n`;

/** 10:00 of a day in the past, and so many seconds; in milliseconds. */
export const secondsAfter = (seconds: number): number => Date.UTC(2025, 10, 21, 10, 0, seconds);
