import { describe, expect, it } from '@jest/globals';
import { defects, type Expectation, blindness as reasons, sentence } from './blindness.ts';
import type { ExporterStats } from './stats.ts';
import { exporterStats } from './testdata/exporter-stats.ts';

const NOW = 1_000_002_000;
const expected: Expectation = { auditSources: ['audit-webhook'], auditSilence: 300_000, startedAt: NOW - 10_000 };

const blindness = (...given: Parameters<typeof reasons>) => reasons(...given).map(sentence);
const defective = (stats: ExporterStats) => defects(stats).map(sentence);

describe('an exporter', () => {
  it('sees when every watch runs or has nothing to watch, audit flows and the spool has room', () => {
    expect(blindness(exporterStats(), expected, NOW)).toEqual([]);
  });

  it.each([
    ['starting', 'The first list of example.io/things is not in yet: wait, and look into its log if it stays so.'],
    ['blind', 'The watch on example.io/things is interrupted: check the API server, and the right to list and watch it.'],
    ['failed', 'The watch on example.io/things ended by a defect of the exporter: restart it, and report the error in its log.'],
  ])('is blind while a watch is %s', (state, told) => {
    const stats = exporterStats({ watches: { 'kafka.strimzi.io/kafkas': 'watching', 'example.io/things': state } });
    expect(blindness(stats, expected, NOW)).toEqual([told]);
    expect(defective(stats)).toEqual(state === 'failed' ? [told] : []);
  });

  it('is blind when audit stopped, from the first millisecond above the limit', () => {
    const at = (silence: number) => blindness(exporterStats({ lastEventAt: { 'audit-webhook': NOW - silence } }), expected, NOW);
    expect(at(300_000)).toEqual([]);
    expect(at(300_001)).toEqual([
      'No audit event came for 300 s from audit-webhook: check --audit-webhook-config-file of the API server, and that it reaches this port.',
    ]);
  });

  it('is blind when audit never came, once it had time to', () => {
    const stats = exporterStats({ lastEventAt: {} });
    expect(blindness(stats, expected, NOW)).toEqual([]);
    expect(blindness(stats, { ...expected, startedAt: NOW - 300_001 }, NOW)).toEqual([
      expect.stringContaining('No audit event ever came from audit-webhook'),
    ]);
  });

  it('waits for no source that it was not given', () => {
    expect(blindness(exporterStats({ lastEventAt: {} }), { auditSources: [], auditSilence: 1, startedAt: 0 }, NOW)).toEqual([]);
  });

  it.each([
    [900_000, ['The spool holds 900000 of 1000000 bytes (3 facts wait): check that the bus takes facts.']],
    [899_999, []],
  ])('is blind when the spool is full: %i of 1,000,000 bytes', (bytes, sentences) => {
    expect(blindness(exporterStats({ spool: { bytes, waiting: 3, cap: 1_000_000 } }), expected, NOW)).toEqual(sentences);
  });
});
