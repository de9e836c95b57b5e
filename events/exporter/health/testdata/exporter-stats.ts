import type { ExporterStats } from '../stats.ts';

/** Numbers of an exporter that sees everything; `change` replaces some. */
export const exporterStats = (change: Partial<ExporterStats> = {}): ExporterStats => ({
  dropped: {},
  lagSeconds: { watch: 2, 'audit-webhook': 1 },
  spool: { bytes: 1_000, waiting: 3, cap: 1_000_000 },
  relists: 0,
  putEventsFailed: {},
  facts: { 'strimzi/upgrade-stale-crds': 7 },
  watches: { 'kafka.strimzi.io/kafkas': 'watching', 'operations.kubeblocks.io/opsrequests': 'absent' },
  deadLettered: 0,
  lastEventAt: { watch: 1_000_000_000, 'audit-webhook': 1_000_001_000 },
  ...{ events: 100, requests: 50, duplicates: 4, skewed: 0, sent: 6 },
  ...change,
});
