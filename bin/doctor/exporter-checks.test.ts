import { describe, expect, it } from '@jest/globals';
import { blindness } from '../../events/exporter/health/blindness.ts';
import { Probes } from '../../events/exporter/health/probes.ts';
import type { ExporterStats } from '../../events/exporter/health/stats.ts';
import { exporterStats } from '../../events/exporter/health/testdata/exporter-stats.ts';
import { askExporter } from './ask-exporter.ts';
import { clockFinding } from './clock-check.ts';
import { exporterFindings } from './exporter-checks.ts';
import type { Finding } from './finding.ts';

const NOW = 1_000_002_000;

/** What doctor finds wrong with an exporter of these numbers, asked over HTTP as it is. */
async function wrongs(change: Partial<ExporterStats>, auditSources = ['audit-webhook']): Promise<Finding[]> {
  const stats = () => exporterStats(change);
  const why = () => blindness(stats(), { auditSources, auditSilence: 300_000, startedAt: 0 }, NOW);
  const probes = new Probes({ host: '127.0.0.1', port: 0, cluster: 'test', auditSources, now: () => NOW, stats, blindness: why });
  const url = `http://127.0.0.1:${await probes.listen()}/readyz`;
  try {
    return exporterFindings(await askExporter(url)).filter(({ result }) => result !== 'fine');
  } finally {
    await probes.close();
  }
}

describe('doctor, asking an exporter', () => {
  it('finds nothing wrong with one that sees everything', async () => {
    expect(await wrongs({})).toEqual([]);
  });

  it.each<[string, Partial<ExporterStats>, string, RegExp, RegExp]>([
    ['an interrupted watch', { watches: { 'a/b': 'blind' } }, 'watch', /watch on a\/b is interrupted/, /right to list and watch/],
    [
      'audit that stopped',
      { lastEventAt: { 'audit-webhook': NOW - 301_000 } },
      'audit',
      /for 301 s from audit-webhook/,
      /--audit-webhook-config-file/,
    ],
    ['audit that never came', { lastEventAt: {} }, 'audit', /No audit event ever came/, /--audit-webhook-config-file/],
    ['audit events with impossible times', { skewed: 3 }, 'audit', /3 audit events have a time out of range/, /synchronize the clocks/],
    ['a silent watch', { lagSeconds: { watch: 121 } }, 'last event', /heard nothing for 121 s/, /connection to the API server/],
    ['lost records', { dropped: { malformed: 3, odd: 1 } }, 'gaps', /3 × malformed, 1 × odd/, /only an API server posts.*its log/],
    ['a full spool', { spool: { bytes: 95, waiting: 7, cap: 100 } }, 'spool', /95 of 100 bytes \(7 facts wait\)/, /bus takes facts/],
    ['a spool that fills up', { spool: { bytes: 75e6, waiting: 7, cap: 100e6 } }, 'spool', /75.0 of 100.0 MB/, /raise --spool-cap/],
    ['a throttled bus', { putEventsFailed: { ThrottlingException: 9 } }, 'sending', /3 facts wait; .* 9 × Throttling/, /quota/],
    ['dead letters', { deadLettered: 1 }, 'sending', /1 facts will never be taken/, /dead-letters\.ndjson/],
  ])('finds %s, and what to do', async (_, change, check, says, fix) => {
    expect(await wrongs(change)).toEqual([{ check, result: 'wrong', says: expect.stringMatching(says), fix: expect.stringMatching(fix) }]);
  });

  it('finds that there is no audit at all', async () => {
    expect(await wrongs({}, [])).toEqual([expect.objectContaining({ check: 'audit', fix: expect.stringContaining('--audit-listen') })]);
  });

  it('tells what answers instead of an exporter', async () => {
    await expect(askExporter('http://127.0.0.1:1')).rejects.toThrow(/./);
  });
});

describe('a clock', () => {
  // Asked at 10.0 s, answered at 10.4 s, a grain of 1 s: 9.0 to 10.4 may be shown by a clock that agrees.
  it.each([
    ['agrees', 9_001, 'fine', 'it agrees with ours'],
    ['is a little ahead', 12_000, 'fine', '1.6 s ahead'],
    ['is ahead', 13_000, 'wrong', '2.6 s ahead'],
    ['is behind', 6_000, 'wrong', '3.0 s behind'],
  ])('%s', (_, theirs, result, says) => {
    expect(clockFinding('x', theirs, 10_000, 10_400, 1_000)).toMatchObject({ result, says: expect.stringContaining(says) });
  });

  it('that nobody tells is unknown, not wrong', () => {
    expect(clockFinding('x', undefined, 0, 0, 0).result).toBe('unknown');
  });
});
