import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Blindness } from './blindness.ts';
import type { ExporterStats } from './stats.ts';

/** What the metrics are made of. */
export interface MetricsSource {
  stats(): ExporterStats;
  /** Reasons why it is blind; none when it sees. */
  blindness(): Blindness[];
}

const PREFIX = 'kubemend_exporter_';
const WATCH_STATES = ['starting', 'watching', 'blind', 'absent', 'failed'];

/** All numbers of an exporter as a registry for Prometheus, read anew at every scrape, and those of its process (memory, CPU, event loop). */
export function exporterMetrics({ stats, blindness }: MetricsSource): Registry {
  const registry = new Registry();
  const registers = [registry];

  /** Labelled values, one label: the name of the thing is the label's value. */
  const each = (Metric: typeof Counter | typeof Gauge, name: string, help: string, label: string, read: () => Record<string, number>) =>
    new Metric({
      ...{ name: `${PREFIX}${name}`, help, labelNames: [label], registers },
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
      },
    });
  const one = (Metric: typeof Counter | typeof Gauge, name: string, help: string, read: () => number) =>
    new Metric({
      ...{ name: `${PREFIX}${name}`, help, registers },
      collect() {
        this.reset();
        this.inc(read());
      },
    });

  each(Counter, 'dropped_total', 'Records lost, by reason', 'reason', () => stats().dropped);
  each(Gauge, 'lag_seconds', 'Seconds since the newest event of a source', 'source', () => stats().lagSeconds);
  each(Gauge, 'last_event_timestamp_seconds', 'When the newest event of a source happened', 'source', () => toSeconds(stats().lastEventAt));
  one(Gauge, 'spool_bytes', 'Bytes of the spool on disk', () => stats().spool.bytes);
  one(Gauge, 'spool_cap_bytes', 'Most bytes the spool may have', () => stats().spool.cap);
  one(Gauge, 'spool_waiting', 'Facts that wait to be sent', () => stats().spool.waiting);
  one(Counter, 'relists_total', 'Lists after the first one of each resource: each is a blind interval', () => stats().relists);
  each(Counter, 'putevents_failed_total', 'Entries that EventBridge did not take, by code', 'code', () => stats().putEventsFailed);
  each(Counter, 'facts_total', 'Facts, by the rule that asked for them', 'rule', () => stats().facts);
  one(Counter, 'sent_total', 'Facts delivered', () => stats().sent);
  one(Counter, 'watch_events_total', 'Lines of watches and lists', () => stats().events);
  one(Counter, 'audit_requests_total', 'Audit records about writes', () => stats().requests);
  one(Counter, 'audit_duplicates_total', 'Audit records that came twice', () => stats().duplicates);
  one(Counter, 'audit_skewed_total', 'Audit records with a timestamp out of range, counted when they arrived', () => stats().skewed);
  one(Counter, 'dead_lettered_total', 'Facts that the bus will never take', () => stats().deadLettered);
  one(Gauge, 'ready', '1 while the exporter sees everything it should, 0 while it is blind: /readyz says why', () =>
    blindness().length === 0 ? 1 : 0,
  );
  new Gauge({
    ...{ name: `${PREFIX}watch_state`, help: '1 for the state that the watch on a resource is in', registers },
    labelNames: ['resource', 'state'],
    collect() {
      this.reset();
      for (const [resource, now] of Object.entries(stats().watches))
        for (const state of WATCH_STATES) this.set({ resource, state }, state === now ? 1 : 0);
    },
  });
  collectDefaultMetrics({ register: registry });
  return registry;
}

const toSeconds = (times: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, ms / 1_000]));
