import { describe, expect, it } from '@jest/globals';
import { type Answer, json, line } from '../testdata/api-server.ts';
import { until } from '../testdata/manual-clock.ts';
import { T0 } from '../testdata/records.ts';
import { hang, list, PATH, says, thing, watching } from './testdata/watching.ts';
import type { WatchEvent } from './watch-event.ts';

describe('watchResource in trouble', () => {
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
    expect(w.position.resourceVersion).toBe('1');
    release();
    await until(() => w.position.resourceVersion === '3');
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
