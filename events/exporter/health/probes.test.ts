import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Blindness } from './blindness.ts';
import { Probes } from './probes.ts';
import type { ExporterStats } from './stats.ts';
import { exporterStats } from './testdata/exporter-stats.ts';

let stats: ExporterStats;
let reasons: Blindness[];
let probes: Probes;
let base: string;

const AUDIT: Blindness = { about: 'audit', says: 'No audit event came', fix: 'check the API server' };
const WATCH: Blindness = { about: 'watch', says: 'The watch on a/b is interrupted', fix: 'check the rights' };

beforeEach(async () => {
  stats = exporterStats();
  reasons = [];
  const now = () => 1_000_002_000;
  probes = new Probes({
    host: '127.0.0.1',
    port: 0,
    cluster: 'test',
    auditSources: ['audit-file'],
    now,
    stats: () => stats,
    blindness: () => reasons,
  });
  base = `http://127.0.0.1:${await probes.listen()}`;
});
afterEach(() => probes.close());

const get = async (path: string, method = 'GET') => {
  const answer = await fetch(base + path, { method });
  return { status: answer.status, text: await answer.text() };
};

/** The samples of kubemend's own metrics, each on its line. */
const samples = async (): Promise<string[]> => {
  const { text } = await get('/metrics');
  return text.split('\n').filter((line) => line.startsWith('kubemend_exporter_'));
};

describe('the probes', () => {
  it('say ready, or in sentences why not', async () => {
    expect(await get('/readyz')).toEqual({ status: 200, text: 'ok\n' });
    reasons = [WATCH, AUDIT];
    expect(await get('/readyz')).toEqual({
      status: 503,
      text: 'The watch on a/b is interrupted: check the rights.\nNo audit event came: check the API server.\n',
    });
  });

  it('stay healthy while blind: only what a restart mends is unhealthy', async () => {
    reasons = [AUDIT];
    expect(await get('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    stats = exporterStats({ watches: { 'a/b': 'failed' } });
    expect(await get('/healthz')).toMatchObject({ status: 503, text: expect.stringContaining('The watch on a/b ended by a defect') });
  });

  it('give everything to doctor as JSON', async () => {
    reasons = [AUDIT];
    expect(JSON.parse((await get('/status')).text)).toEqual({
      ...{ cluster: 'test', now: 1_000_002_000, auditSources: ['audit-file'], blindness: reasons, stats },
    });
  });

  it.each([
    ['GET', '/', 404],
    ['GET', '/metrics/', 404],
    ['GET', '/constructor', 404],
    ['POST', '/metrics', 405],
  ])('refuse %s %s with %i', async (method, path, status) => {
    expect((await get(path, method)).status).toBe(status);
  });
});

describe('the metrics', () => {
  it('are what the exporter counts now, read anew at every scrape', async () => {
    expect(await samples()).toContain('kubemend_exporter_facts_total{rule="strimzi/upgrade-stale-crds"} 7');
    stats = exporterStats({
      dropped: { 'too-long': 2, 'odd"reason\\': 1 },
      spool: { bytes: 5, waiting: 4, cap: 6 },
      relists: 8,
      putEventsFailed: { ThrottlingException: 9 },
      deadLettered: 10,
      skewed: 11,
      facts: {},
    });
    reasons = [AUDIT];
    const lines = await samples();
    expect(lines).toEqual(
      expect.arrayContaining([
        'kubemend_exporter_dropped_total{reason="too-long"} 2',
        'kubemend_exporter_dropped_total{reason="odd\\"reason\\\\"} 1',
        'kubemend_exporter_lag_seconds{source="audit-webhook"} 1',
        'kubemend_exporter_last_event_timestamp_seconds{source="watch"} 1000000',
        'kubemend_exporter_spool_bytes 5',
        'kubemend_exporter_spool_waiting 4',
        'kubemend_exporter_spool_cap_bytes 6',
        'kubemend_exporter_relists_total 8',
        'kubemend_exporter_putevents_failed_total{code="ThrottlingException"} 9',
        'kubemend_exporter_sent_total 6',
        'kubemend_exporter_watch_events_total 100',
        'kubemend_exporter_audit_requests_total 50',
        'kubemend_exporter_audit_duplicates_total 4',
        'kubemend_exporter_dead_lettered_total 10',
        'kubemend_exporter_audit_skewed_total 11',
        'kubemend_exporter_ready 0',
        'kubemend_exporter_watch_state{resource="kafka.strimzi.io/kafkas",state="watching"} 1',
        'kubemend_exporter_watch_state{resource="kafka.strimzi.io/kafkas",state="blind"} 0',
      ]),
    );
    expect(lines.filter((line) => line.includes('facts_total'))).toEqual([]);
  });

  it('come with those of the process, and are the same after a second scrape', async () => {
    expect((await get('/metrics')).text).toMatch(/^process_resident_memory_bytes \d+/m);
    expect(await samples()).toEqual(await samples());
  });
});
