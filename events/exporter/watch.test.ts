import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Answer, type ApiServer, json, line, startApiServer } from './testdata/api-server.ts';
import { ManualClock, until } from './testdata/manual-clock.ts';
import { T0 } from './testdata/records.ts';
import { type WatchOptions, watchResource } from './watch.ts';
import type { WatchEvent } from './watch-event.ts';

const PATH = '/apis/demo/v1/things';
const thing = (name: string, rv: number, more = {}) => ({
  apiVersion: 'demo/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'n', uid: `u-${name}`, resourceVersion: String(rv) },
  ...more,
});
const list = (rv: number, ...items: unknown[]) => ({
  kind: 'ThingList',
  apiVersion: 'demo/v1',
  metadata: { resourceVersion: String(rv) },
  items,
});
const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs a watch against a server whose lists and watches are scripted, one function per request; the last one repeats. */
async function watching(script: { lists: Answer[]; watches: Answer[] }, more: Partial<WatchOptions> = {}) {
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
  const versions = new Map<string, string | undefined>();
  const done = watchResource({
    ...{ open: server.open, path: PATH, resource: 'things', signal: stop.signal, wait: clock.wait, now: clock.now, random: () => 0.5 },
    checkpoints: { get: (path) => versions.get(path), set: (path, version) => void versions.set(path, version) },
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
  return { server, clock, stop, events, names, gaps, problems, versions, done, counts, sight: () => sight };
}

const hang: Answer = (response) => void response.writeHead(200).flushHeaders();
const closes: Answer = (response) => void response.writeHead(200).end();
const says =
  (...lines: [string, unknown][]): Answer =>
  (response) => {
    response.writeHead(200);
    for (const [type, object] of lines) line(response, type, object);
  };

describe('watchResource', () => {
  it('lists page by page, then watches from there with bookmarks', async () => {
    const page = { ...list(10, thing('a', 1)), metadata: { resourceVersion: '10', continue: 'next page' } };
    const w = await watching({
      lists: [(r) => json(r, page), (r) => json(r, list(10, thing('b', 2)))],
      watches: [says(['MODIFIED', thing('a', 11)])],
    });
    await until(() => w.events.length === 3);
    expect(w.names()).toEqual(['ADDED a list', 'ADDED b list', 'MODIFIED a']);
    expect(w.server.requests).toEqual([
      `${PATH}?limit=500`,
      `${PATH}?limit=500&continue=next%20page`,
      `${PATH}?watch=1&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=450`,
    ]);
    expect(w.gaps).toEqual([]);
    expect(w.sight()).toBe(true);
    w.stop.abort();
    expect(await w.done).toBe('stopped');
    expect(w.sight()).toBe(false);
  });

  it('gives list items the apiVersion and kind that built-in lists leave out', async () => {
    const { apiVersion: _, kind: __, ...bare } = thing('a', 1);
    const w = await watching({ lists: [(r) => json(r, list(1, bare))], watches: [hang] });
    await until(() => w.events.length === 1);
    expect(w.events[0]?.object).toMatchObject({ apiVersion: 'demo/v1', kind: 'Thing' });
  });

  it('reads characters and lines that are split over chunks', async () => {
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: thing('größe-✓-😀', 2) })}\n`);
    const slowly: Answer = (response) => {
      response.writeHead(200);
      const next = (i: number): void =>
        void (i < bytes.length && response.write(bytes.subarray(i, i + 1), () => setImmediate(next, i + 1)));
      next(0);
    };
    const w = await watching({ lists: [(r) => json(r, list(1))], watches: [slowly] });
    await until(() => w.events.length === 1);
    expect(w.names()).toEqual(['ADDED größe-✓-😀']);
  });

  it('goes on from the last bookmark after the server ends the watch', async () => {
    const ended: Answer = (r) => {
      says(['BOOKMARK', { metadata: { resourceVersion: '77' } }])(r, new URL('http://x'), undefined as never);
      r.end();
    };
    const w = await watching({ lists: [(r) => json(r, list(1))], watches: [ended, hang] });
    await until(() => w.counts.watches === 2);
    expect(w.server.requests.at(-1)).toContain('resourceVersion=77');
    expect(w.counts.lists).toBe(1);
    expect(w.gaps).toEqual([]);
  });

  const inStream: Answer = (r) => {
    says(['MODIFIED', thing('a', 5)], ['ERROR', gone])(r, new URL('http://x'), undefined as never);
    r.end();
  };
  const asStatus: Answer = (r) => json(r, gone, 410);

  it.each([
    ['in the stream', inStream],
    ['as HTTP status', asStatus],
  ])('lists again after a 410 %s, tells what vanished, and marks the gap', async (_, expired) => {
    const w = await watching({
      lists: [(r) => json(r, list(1, thing('a', 1), thing('b', 1))), (r) => json(r, list(20, thing('b', 1), thing('c', 9)))],
      watches: [expired, hang],
    });
    await until(() => w.counts.watches === 2);
    expect(w.names().filter((name) => name !== 'MODIFIED a')).toEqual([
      'ADDED a list',
      'ADDED b list',
      'DELETED a list gap',
      'ADDED b list gap',
      'ADDED c list gap',
    ]);
    expect(w.gaps).toEqual([[0, 0]]);
    expect(w.server.requests.at(-1)).toContain('resourceVersion=20');
    expect(w.events.findLast(({ type }) => type === 'DELETED')?.object).toMatchObject({
      apiVersion: 'demo/v1',
      kind: 'Thing',
      metadata: { uid: 'u-a' },
    });
  });

  it('takes three immediate closes in a row for a 410', async () => {
    const w = await watching({ lists: [(r) => json(r, list(1, thing('a', 1)))], watches: [closes, closes, closes, hang] });
    for (const wait of [375, 750]) {
      await until(() => w.clock.pending().includes(wait));
      w.clock.advance(wait);
    }
    await until(() => w.clock.pending().includes(1_500));
    expect(w.counts).toEqual({ lists: 1, watches: 3 });
    expect(w.problems).toEqual([expect.stringContaining('3 watches in a row closed at once')]);
    w.clock.advance(1_500);
    await until(() => w.counts.watches === 4);
    expect(w.counts.lists).toBe(2);
    expect(w.gaps).toEqual([[0, 2_625]]);
  });

  it('drops a silent connection after 90 s and goes on from the checkpoint', async () => {
    const w = await watching({ lists: [(r) => json(r, list(5))], watches: [hang, says(['ADDED', thing('a', 6)])] });
    await until(() => w.sight());
    w.clock.advance(89_999);
    expect(w.counts.watches).toBe(1);
    w.clock.advance(1);
    await until(() => w.problems.length === 1);
    expect(w.problems[0]).toContain('nothing came for 90 s');
    expect(w.sight()).toBe(false);
    await until(() => w.clock.pending().includes(375));
    w.clock.advance(375);
    await until(() => w.events.length === 1);
    expect(w.counts.lists).toBe(1);
    expect(w.sight()).toBe(true);
  });

  it('keeps a connection that sends bookmarks', async () => {
    let open: ServerResponse | undefined;
    const w = await watching({
      lists: [(r) => json(r, list(5))],
      watches: [
        (r) => {
          open = r;
          hang(r, new URL('http://x'), undefined as never);
        },
      ],
    });
    for (let i = 6; i < 9; i++) {
      await until(() => w.sight());
      w.clock.advance(60_000);
      line(open as ServerResponse, 'BOOKMARK', { metadata: { resourceVersion: String(i) } });
      await until(() => w.versions.get(PATH) === String(i));
    }
    expect(w.counts.watches).toBe(1);
  });

  it('does not take a closed watch and a relist for changes, as after a CRD is applied again', async () => {
    const w = await watching({ lists: [(r) => json(r, list(5, thing('a', 3)))], watches: [closes, hang] });
    await until(() => w.clock.pending().includes(375));
    w.clock.advance(375);
    await until(() => w.counts.watches === 2);
    expect(w.names()).toEqual(['ADDED a list']);
  });

  it('backs off while the server refuses, and says why', async () => {
    const forbidden: Answer = (r) => json(r, { message: 'no' }, 403);
    const w = await watching({ lists: [forbidden, forbidden, (r) => json(r, list(1, thing('a', 1)))], watches: [hang] });
    for (const wait of [375, 750]) {
      await until(() => w.clock.pending().includes(wait));
      w.clock.advance(wait);
    }
    await until(() => w.events.length === 1);
    expect(w.problems[0]).toContain('check its ClusterRole');
    expect(w.names()).toEqual(['ADDED a list']);
  });

  it('does not repeat the half line of a broken connection', async () => {
    const broken: Answer = (r) => {
      r.writeHead(200);
      line(r, 'ADDED', thing('a', 2));
      r.write('{"type":"ADDED","obj', () => r.destroy());
    };
    const w = await watching({ lists: [(r) => json(r, list(1))], watches: [broken, says(['ADDED', thing('b', 3)])] });
    await until(() => w.clock.pending().includes(375));
    w.clock.advance(375);
    await until(() => w.events.length === 2);
    expect(w.names()).toEqual(['ADDED a', 'ADDED b']);
    expect(w.server.requests.at(-1)).toContain('resourceVersion=2');
  });

  it('waits for the handler before it reads on', async () => {
    let release = () => {};
    const handled: string[] = [];
    const handle = async ({ object }: WatchEvent) => {
      handled.push((object as ReturnType<typeof thing>).metadata.name);
      if (handled.length === 1)
        await new Promise<void>((resolve) => {
          release = resolve;
        });
    };
    const w = await watching(
      { lists: [(r) => json(r, list(1))], watches: [says(['ADDED', thing('a', 2)], ['ADDED', thing('b', 3)])] },
      { handle },
    );
    await until(() => handled.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(handled).toEqual(['a']);
    expect(w.versions.get(PATH)).toBe('1');
    release();
    await until(() => w.versions.get(PATH) === '3');
  });

  it('ends loudly when the handler throws', async () => {
    const handle = () => {
      throw new Error('reducer is broken');
    };
    const w = await watching({ lists: [(r) => json(r, list(1, thing('a', 1)))], watches: [hang] }, { handle });
    await expect(w.done).rejects.toMatchObject({ message: expect.stringContaining(PATH), cause: new Error('reducer is broken') });
    expect(w.counts.watches).toBe(0);
  });

  it('says that the resource is gone, and its objects with it', async () => {
    const w = await watching({ lists: [(r) => json(r, list(1, thing('a', 1)))], watches: [(r) => json(r, {}, 404)] });
    expect(await w.done).toBe('absent');
    expect(w.names()).toEqual(['ADDED a list', 'DELETED a list gap']);
  });

  it('takes everything in the first list for news when the resource was absent before', async () => {
    const w = await watching({ lists: [(r) => json(r, list(1, thing('a', 1)))], watches: [hang] }, { absentSince: T0 - 10_000 });
    await until(() => w.sight());
    expect(w.names()).toEqual(['ADDED a list gap']);
    expect(w.gaps).toEqual([[-10_000, 0]]);
  });

  const metadataOnly = { apiVersion: 'v1', kind: 'Secret' };

  it('asks for metadata only where it is told to, and calls the objects what they are', async () => {
    const accepts: unknown[] = [];
    const partial = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: thing('s', 2).metadata };
    const w = await watching(
      {
        lists: [
          (r, _, { headers }) => {
            accepts.push(headers.accept);
            json(r, { kind: 'PartialObjectMetadataList', metadata: { resourceVersion: '1' }, items: [partial] });
          },
        ],
        watches: [
          (r, url, incoming) => {
            accepts.push(incoming.headers.accept);
            says(['MODIFIED', { ...partial, metadata: thing('s', 3).metadata }])(r, url, incoming);
          },
        ],
      },
      { metadataOnly },
    );
    await until(() => w.events.length === 2);
    expect(accepts).toEqual([
      'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    ]);
    for (const { object } of w.events) expect(object).toMatchObject(metadataOnly);
  });

  it('refuses whole Secrets from a transport that drops the Accept header', async () => {
    const w = await watching(
      { lists: [(r) => json(r, { ...list(1, thing('s', 1)), kind: 'SecretList' })], watches: [hang] },
      { metadataOnly },
    );
    await until(() => w.problems.length > 0);
    expect(w.problems[0]).toContain('Accept header');
    expect(w.events).toEqual([]);
  });
});
