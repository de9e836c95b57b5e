import type { ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { type Answer, json, line } from '../testdata/api-server.ts';
import { until } from '../testdata/manual-clock.ts';
import { closes, gone, hang, list, PATH, says, thing, watching } from './testdata/watching.ts';

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
      await until(() => w.position.resourceVersion === String(i));
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
});
