import { afterEach } from '@jest/globals';
import { type Answer, type ApiServer, line, startApiServer } from '../../testdata/api-server.ts';
import { ManualClock } from '../../testdata/manual-clock.ts';
import { T0 } from '../../testdata/records.ts';
import { type WatchOptions, watchResource } from '../watch.ts';
import type { WatchEvent } from '../watch-event.ts';
import type { WatchPosition } from '../watch-position.ts';

export const PATH = '/apis/demo/v1/things';
export const thing = (name: string, rv: number, more = {}) => ({
  apiVersion: 'demo/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'n', uid: `u-${name}`, resourceVersion: String(rv) },
  ...more,
});
export const list = (rv: number, ...items: unknown[]) => ({
  kind: 'ThingList',
  apiVersion: 'demo/v1',
  metadata: { resourceVersion: String(rv) },
  items,
});
export const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs a watch against a server whose lists and watches are scripted, one function per request; the last one repeats. */
export async function watching(script: { lists: Answer[]; watches: Answer[] }, more: Partial<WatchOptions> = {}) {
  const counts = { lists: 0, watches: 0 };
  const server: ApiServer = await startApiServer((response, url, incoming) => {
    const kind = url.searchParams.has('watch') ? 'watches' : 'lists';
    const answers = script[kind];
    (answers[counts[kind]++] ?? (answers.at(-1) as Answer))(response, url, incoming);
  });
  const clock = new ManualClock(T0);
  const stop = new AbortController();
  const events: WatchEvent[] = [];
  const gaps: number[][] = [];
  const problems: string[] = [];
  let sight = false;
  const position: WatchPosition = { known: new Map() };
  const done = watchResource({
    ...{ open: server.open, path: PATH, resource: 'things', signal: stop.signal, wait: clock.wait, now: clock.now, random: () => 0.5 },
    position,
    handle: (event) => void events.push(event),
    onGap: (from, to) => void gaps.push([from - T0, to - T0]),
    onSight: (seeing) => {
      sight = seeing;
    },
    onProblem: (message) => void problems.push(message),
    ...more,
  });
  done.catch(() => {});
  cleanups.push(async () => {
    stop.abort();
    await done.catch(() => {});
    await server.close();
  });
  const names = () =>
    events.map(
      ({ type, object, fromList, gap }) =>
        `${type} ${(object as ReturnType<typeof thing>).metadata.name}${fromList ? ' list' : ''}${gap ? ' gap' : ''}`,
    );
  return { server, clock, stop, events, names, gaps, problems, position, done, counts, sight: () => sight };
}

export const hang: Answer = (response) => void response.writeHead(200).flushHeaders();
export const closes: Answer = (response) => void response.writeHead(200).end();
export const says =
  (...lines: [string, unknown][]): Answer =>
  (response) => {
    response.writeHead(200);
    for (const [type, object] of lines) line(response, type, object);
  };
