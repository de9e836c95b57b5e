import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '../fact.ts';
import type { WritesCounted } from '../writes-counted.ts';
import { DiskSpool } from './spool/disk-spool.ts';
import { auditEvent, historyServer, live } from './testdata/exporting.ts';
import type { HistoryServer } from './testdata/history-server.ts';
import { until } from './testdata/manual-clock.ts';
import { T0 } from './testdata/records.ts';
import { folder } from './testdata/spooling.ts';
import type { Open } from './watch/open.ts';

describe('an exporter that was stopped', () => {
  it('tells what happened meanwhile as ordinary changes, with the states before and no gap', async () => {
    const [api, directory] = [await historyServer(), folder()];
    for (const name of ['a', 'b', 'c']) api.put(name, '1', T0 - 60_000);
    const first = await live(api, directory, T0);
    api.put('a', '2', T0);
    await until(() => first.seen().length === 1);
    await first.stop();
    api.put('a', '3', T0 + 61_000);
    api.put('a', '4', T0 + 200_000);
    api.remove('b');
    api.put('d', '1', T0 + 250_000);
    const second = await live(api, directory, T0 + 300_000);
    await until(() => second.seen().length === 4);
    expect(second.seen()).toEqual(['modified a 2→3', 'modified a 3→4', 'deleted b 1→?', 'added d ?→1']);
    expect(second.sent.map(({ time }) => Date.parse(time) - T0)).toEqual([61_000, 200_000, 200_000, 250_000]);
    api.put('d', '2', T0 + 300_000);
    await until(() => second.seen().length === 5);
    expect(second.sent[4]?.time).toBe(new Date(T0 + 300_000).toISOString());
    expect(second.problems).toEqual([]);
    expect(second.exporter.stats().relists).toBe(0);
  });

  it('tells the difference as a gap when the server has forgotten the state of the checkpoint', async () => {
    const [api, directory] = [await historyServer(), folder()];
    for (const name of ['a', 'b', 'c']) api.put(name, '1', T0);
    const first = await live(api, directory, T0);
    await first.stop();
    api.put('a', '2', T0);
    api.remove('b');
    api.put('d', '1', T0);
    api.compact();
    const second = await live(api, directory, T0 + 120_000);
    await until(() => second.seen().length === 3);
    expect(second.seen()).toEqual(['deleted b ?→? gap', 'modified a ?→2 gap', 'added d ?→1 gap']);
    for (let i = 3; i < 7; i++) api.put('a', String(i), T0 + 120_000);
    await until(() => second.storms().length === 1);
    expect(second.storms()[0]).toMatchObject({ writes: 4, coverage: { gap: true } });
    expect(second.problems).toEqual([expect.stringContaining('no longer knows the state of the checkpoint')]);
    expect(second.exporter.stats().relists).toBe(1);
  });

  it.each([
    ['before the exporter lists the state of its checkpoint', (path: string) => !path.includes('watch=')],
    ['before it watches from there', (path: string) => path.includes('watch=')],
  ])('tells what is gone that came after the checkpoint, when the server forgets it %s', async (_, isNow) => {
    const [api, directory, checkpoints] = [await historyServer(), folder(), folder()];
    api.put('a', '1', T0);
    api.put('b', '1', T0);
    const first = await live(api, directory, T0);
    await until(() => existsSync(join(directory, 'checkpoints', 'watch-things.demo.json')));
    cpSync(join(directory, 'checkpoints'), checkpoints, { recursive: true });
    api.put('c', '1', T0);
    api.put('a', '2', T0);
    await until(() => first.seen().length === 2);
    await first.stop();
    cpSync(checkpoints, join(directory, 'checkpoints'), { recursive: true });
    api.remove('c');
    const open: Open = (path, ...rest) => {
      if (isNow(path)) api.compact();
      return api.api.open(path, ...rest);
    };
    const second = await live(api, directory, T0 + 60_000, { open });
    await until(() => second.seen().length > 0);
    expect(second.seen()).toEqual(['deleted c ?→? gap']);
  });

  it('tells that everything is gone when the resource is not served any more, and what is new when it comes back', async () => {
    const [api, directory] = [await historyServer(), folder()];
    api.put('a', '1', T0);
    const first = await live(api, directory, T0);
    await first.stop();
    api.serve(false);
    const second = await live(api, directory, T0 + 1_000);
    await until(() => second.seen().length === 1);
    await second.stop();
    api.serve(true);
    const third = await live(api, directory, T0 + 2_000);
    await until(() => third.seen().length === 1);
    expect([...second.seen(), ...third.seen()]).toEqual(['deleted a ?→? gap', 'added a ?→1 gap']);
  });

  it('sends what it could not send, with the same ids', async () => {
    const [api, directory] = [await historyServer(), folder()];
    api.put('a', '1', T0);
    const refused: string[] = [];
    const put = async (events: Envelope[]) => {
      refused.push(...events.map(({ id }) => id));
      throw new Error('the bus is away');
    };
    const first = await live(api, directory, T0, { sink: { put } });
    api.put('a', '2', T0);
    api.put('a', '3', T0);
    await until(() => first.exporter.stats().spool.waiting === 2);
    await first.stop();
    const second = await live(api, directory, T0 + 1_000);
    await until(() => second.sent.length === 2);
    expect(second.seen()).toEqual(['modified a 1→2', 'modified a 2→3']);
    expect(second.sent.every(({ id }) => refused.includes(id))).toBe(true);
  });

  it('says that it knows nothing of the time since a damaged checkpoint', async () => {
    const [api, directory] = [await historyServer(), folder()];
    api.put('a', '1', T0);
    await (await live(api, directory, T0)).stop();
    const path = join(directory, 'checkpoints', 'watch-things.demo.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"uid-a', '"uid-x'));
    const second = await live(api, directory, T0 + 60_000);
    for (let i = 2; i < 6; i++) api.put('a', String(i), T0);
    await until(() => second.storms().length === 1);
    expect(second.storms()[0]?.coverage.gap).toBe(true);
    expect(second.problems).toEqual([expect.stringContaining('is damaged')]);
  });
});

describe('a storm that a restart splits', () => {
  type Life = Awaited<ReturnType<typeof live>>;
  const at = (i: number) => T0 + i * 6_000;

  /** Writes four times and gives the fact; `then` may put another exporter in place after the second write. */
  async function fact(then: (one: Life, api: HistoryServer, directory: string, checkpoints: string) => Promise<Life>) {
    const [api, directory, checkpoints] = [await historyServer(), folder(), folder()];
    api.put('a', '0', T0);
    const write = async (one: Life, i: number) => {
      one.clock.advance(at(i) - one.clock.now());
      api.put('a', String(i), at(i));
      await until(() => one.seen().includes(`modified a ${i - 1}→${i}`));
      await one.exporter.acceptAudit([auditEvent(i, at(i))]);
    };
    const first = await live(api, directory, T0);
    await write(first, 1);
    await until(() => existsSync(join(directory, 'checkpoints', 'watch-things.demo.json')));
    cpSync(join(directory, 'checkpoints'), checkpoints, { recursive: true });
    await write(first, 2);
    const second = await then(first, api, directory, checkpoints);
    for (const i of [3, 4]) await write(second, i);
    await until(() => second.storms().length === 1);
    const [{ coverage, ...told }] = second.storms() as [WritesCounted];
    expect(coverage).toEqual({ sources: ['watch', 'audit'], gap: false, dropped: 0 });
    expect(told).toMatchObject({ writes: 4, changes: 4, noops: 0, actors: [{ user: 'robot', writes: 4 }] });
    expect(second.problems).toEqual([]);
    return told;
  }

  it('is counted as if there had been none: the same fact with the same id', async () => {
    const whole = await fact(async (one) => one);
    const stopped = await fact(async (first, api, directory) => {
      await first.stop();
      return live(api, directory, at(2));
    });
    expect(stopped).toEqual(whole);
    // As after kill -9: the segments as they are now, a checkpoint that is older, and everything that nobody was told is kept comes again.
    const killed = await fact(async (first, api, directory, checkpoints) => {
      const copy = folder();
      cpSync(join(directory, 'segments'), join(copy, 'segments'), { recursive: true });
      cpSync(checkpoints, join(copy, 'checkpoints'), { recursive: true });
      await first.stop();
      const second = await live(api, copy, at(2));
      await second.exporter.acceptAudit([auditEvent(1, at(1)), auditEvent(2, at(2))]);
      expect(second.exporter.stats().duplicates).toBe(2);
      return second;
    });
    expect(killed).toEqual(whole);
  });

  it('is not told again before its time, and then as long as it lasts', async () => {
    const [api, directory] = [await historyServer(), folder()];
    api.put('a', '0', T0);
    const first = await live(api, directory, T0);
    for (const i of [1, 2, 3, 4]) await first.exporter.acceptAudit([auditEvent(i, T0 + i)]);
    await until(() => first.storms().length === 1);
    await first.stop();
    const second = await live(api, directory, T0 + 5_000);
    await second.exporter.acceptAudit([auditEvent(5, T0 + 20_000)]);
    await second.exporter.acceptAudit([auditEvent(6, T0 + 31_000)]);
    await until(() => second.storms().length > 0);
    expect(second.storms().map(({ writes }) => writes)).toEqual([6]);
  });

  it('is told after the restart when the exporter died before it could', async () => {
    const [api, directory] = [await historyServer(), folder()];
    api.put('a', '0', T0);
    const first = await live(api, directory, T0);
    for (const i of [1, 2, 3, 4]) await first.exporter.acceptAudit([auditEvent(i, T0 + i)]);
    await until(() => first.storms().length === 1);
    const [told] = first.storms();
    await first.stop();
    // Nobody heard of it: as if the last append had been torn off between the counted record and the fact.
    const copy = folder();
    const spool = await DiskSpool.open({ directory: join(copy, 'segments'), keep: 3_600_000, onProblem: () => {} });
    const log = await DiskSpool.open({ directory: join(directory, 'segments'), keep: 3_600_000, onProblem: () => {} });
    for await (const entry of log.restore()) if (entry.kind === 'counted') await spool.append([entry]);
    await Promise.all([spool.close(), log.close()]);
    const second = await live(api, copy, T0 + 600_000);
    await until(() => second.storms().length === 1);
    expect(second.storms()[0]?.id).toBe(told?.id);
  });
});
