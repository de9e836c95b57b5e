import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { WatchEvent } from '../../events/exporter/watch/watch-event.ts';
import { open } from '../../shared/open.ts';
import { readBundle } from './bundle.ts';
import { writeBundle } from './capture.ts';
import { Recording, readRecording } from './recording.ts';

const onProblem = (message: string): void => {
  throw new Error(message);
};
const START = Date.parse('2026-01-01T00:00:00Z');
const at = (second: number): string => new Date(START + second * 1_000).toISOString();
const widget = (second: number, name: string, more: Partial<WatchEvent> = {}): WatchEvent => ({
  ...{ receivedAt: at(second), resource: 'widgets', type: 'MODIFIED' },
  object: {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name, namespace: 'shop', resourceVersion: `${second}` },
    spec: { password: 'hunter2-x' },
  },
  ...more,
});

it('Two files of bounded size; the newer begins with the state that the thrown-away lines had made', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-recording-'));
  const recording = await Recording.start(directory, [], { now: () => START, onProblem, largest: 4_000 });
  recording.watch(widget(0, 'quiet', { type: 'ADDED', fromList: true }));
  recording.watch(widget(0, 'gone', { type: 'ADDED', fromList: true }));
  recording.watch(widget(1, 'gone', { type: 'DELETED' }));
  for (let second = 2; second < 200; second += 1) recording.watch(widget(second, 'busy'));
  for (const file of readdirSync(join(directory, 'recording')))
    expect(statSync(join(directory, 'recording', file)).size).toBeLessThan(5_000);
  const lines = readRecording(directory) ?? [];
  const names = lines.flatMap((line) =>
    line.kind === 'watch' ? [`${line.event.type} ${(line.event.object as { metadata: { name: string } }).metadata.name}`] : [],
  );
  expect(new Set(names)).toEqual(new Set(['ADDED quiet', 'ADDED busy', 'MODIFIED busy']));
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});

const object = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: 'a' };
const coverage = { sources: ['watch' as const], gap: false, dropped: 0 };
const changed = { change: 'modified' as const, changed: [], phantom: false };
const fact = { id: 'fact-1234', cluster: 'toy', observedAt: at(1_800), coverage, object, ...changed };
const incident = open(fact, object, 'example/mend', 1, START + 1_800_000);

it('A bundle begins with what stood there, holds the namespace it is about, and the first answers from its start', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-recording-'));
  const recording = await Recording.start(directory, [], { now: () => START + 1_800_000, onProblem });
  recording.watch(widget(0, 'a', { type: 'ADDED', fromList: true }));
  recording.watch(widget(1_790, 'a'));
  const elsewhere = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'b', namespace: 'bank', resourceVersion: '1' } };
  recording.watch(widget(1_790, 'b', { object: elsewhere }));
  recording.audit({ verb: 'patch', stageTimestamp: at(1_790), objectRef: { namespace: 'shop', name: 'a' } });
  recording.audit({ verb: 'patch', stageTimestamp: at(10), objectRef: { namespace: 'shop', name: 'a' } });
  const to = join(directory, 'bundle');
  expect(writeBundle(incident, readRecording(directory) ?? [], to)).toEqual({
    audit: 1,
    watch: 1,
    reads: 0,
  });
  expect(readBundle(to).map((one) => [new Date(one.at).toISOString(), one.kind])).toEqual([
    [at(1_200), 'watch'],
    [at(1_790), 'audit'],
    [at(1_790), 'watch'],
  ]);
});

it('In a bundle an answer is there with the event that it was asked for after: a replay asks at once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-recording-'));
  let now = 0;
  const recording = await Recording.start(directory, [], { now: () => START + now, onProblem });
  const live = { metadata: { name: 'a', namespace: 'shop' } };
  const view = recording.view('example/mend', { get: async () => live } as never);
  for (const second of [1_790, 1_792, 1_795]) {
    recording.watch(widget(second, 'a'));
    for (const later of [40, 60, 1_500]) {
      now = second * 1_000 + later;
      await view.get(object);
    }
  }
  const to = join(directory, 'bundle');
  writeBundle(incident, readRecording(directory) ?? [], to);
  expect(readBundle(to).flatMap((one) => (one.kind === 'read' ? [one.at - START] : []))).toEqual([
    ...[1_200_000, 1_790_060, 1_791_500],
    ...[1_792_000, 1_792_060, 1_793_500],
    ...[1_795_000, 1_795_060, 1_796_500],
  ]);
});

it('In a bundle an answer holds from the event that called for it, though more events came before it was asked', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-recording-'));
  let now = 0;
  const recording = await Recording.start(directory, [], { now: () => START + now, onProblem });
  const view = recording.view('example/mend', { get: async () => ({ metadata: { name: 'a', namespace: 'shop' } }) } as never);
  for (const second of [1_790, 1_800]) {
    for (const later of [0, 0.02, 0.03]) recording.watch(widget(second + later, 'a', { type: later === 0 ? 'ADDED' : 'MODIFIED' }));
    now = second * 1_000 + 40;
    await view.get(object);
  }
  const to = join(directory, 'bundle');
  writeBundle(incident, readRecording(directory) ?? [], to);
  const reads = readBundle(to).filter(({ kind }) => kind === 'read');
  expect(reads.map((one) => new Date(one.at).toISOString())).toEqual([at(1_200), at(1_800)]);
});

it('A recording whose disk is full says so and goes on; what was cut short is left out', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-recording-'));
  const problems: string[] = [];
  const recording = await Recording.start(directory, [], { now: () => START, onProblem: (problem) => problems.push(problem) });
  const file = join(directory, 'recording', 'now.ndjson');
  recording.audit({ verb: 'first' });
  // As a disk that fills leaves it: half a line.
  rmSync(file);
  mkdirSync(file);
  recording.audit({ verb: 'lost' });
  rmdirSync(file);
  writeFileSync(file, '{"at":"2026-01-01T00:00:00Z","kind":"aud');
  recording.audit({ verb: 'second' });
  expect(problems).toEqual([expect.stringMatching(/^The recording misses something: EISDIR/)]);
  expect(readRecording(directory)).toMatchObject([{ kind: 'audit', event: { verb: 'second' } }]);
});
