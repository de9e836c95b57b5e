import { afterEach } from '@jest/globals';
import type { Envelope } from '../../fact.ts';
import type { ObjectChanged } from '../../object-changed.ts';
import type { WritesCounted } from '../../writes-counted.ts';
import { Exporter } from '../exporter.ts';
import type { ExporterOptions } from '../exporter-options.ts';
import { type HistoryServer, startHistoryServer } from './history-server.ts';
import { ManualClock, until } from './manual-clock.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const things = { group: ['demo'], resource: ['things'] };
const hasValue = { spec: { value: [{ exists: true }] } };
const changes = {
  name: 'changes',
  pattern: {
    source: ['kubernetes'],
    'detail-type': ['Object Changed'],
    detail: { object: things, $or: [{ current: hasValue }, { previous: hasValue }, { change: ['deleted'] }] },
  },
};
const storm = {
  name: 'storm',
  pattern: {
    source: ['kubernetes'],
    'detail-type': ['Writes Counted'],
    detail: { object: things, window: { seconds: [300] }, writes: [{ numeric: ['>=', 4] }] },
  },
};

/** One life of an exporter on a folder. */
export async function live(server: HistoryServer, directory: string, now: number, more: Partial<ExporterOptions> = {}) {
  const clock = new ManualClock(now);
  const sent: Envelope[] = [];
  const problems: string[] = [];
  const exporter = new Exporter({
    ...{ cluster: 'test', rules: [changes, storm], open: server.api.open, clock, wait: clock.wait, random: () => 0.5, directory },
    sink: { put: async (events) => void sent.push(...events) },
    onProblem: (message) => void problems.push(message),
    ...more,
  });
  const { auditPort } = await exporter.start();
  let ended: Promise<void> | undefined;
  const stop = () => {
    ended ??= exporter.stop();
    return ended;
  };
  cleanups.push(stop);
  await until(() => exporter.ready());
  const seen = () =>
    sent
      .filter((one) => one['detail-type'] === 'Object Changed')
      .map(({ detail }) => {
        const { change, object, current, previous, coverage } = detail as unknown as ObjectChanged;
        const value = (state: unknown) => (state as { spec?: { value?: string } } | undefined)?.spec?.value ?? '?';
        return `${change} ${object.name} ${value(previous)}→${value(current)}${coverage.gap ? ' gap' : ''}`;
      });
  const storms = () =>
    sent.flatMap(({ 'detail-type': type, detail }) => (type === 'Writes Counted' ? [detail as unknown as WritesCounted] : []));
  return { exporter, clock, sent, problems, stop, seen, storms, auditPort };
}

/** A server that is closed after the test. */
export async function historyServer(): Promise<HistoryServer> {
  const started = await startHistoryServer();
  cleanups.push(() => started.api.close());
  return started;
}

/** A PUT on the thing `a` in an audit log; `at`: milliseconds. */
export const auditEvent = (id: number, at: number) => ({
  ...{ auditID: `audit-${id}`, stage: 'ResponseComplete', verb: 'update', user: { username: 'robot' }, userAgent: 'robot/1' },
  objectRef: { apiGroup: 'demo', apiVersion: 'v1', resource: 'things', namespace: 'n', name: 'a' },
  responseStatus: { code: 200 },
  stageTimestamp: new Date(at).toISOString(),
});
