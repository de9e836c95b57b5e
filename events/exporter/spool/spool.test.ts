import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { counted, fact, folder, idsOf, logOf, openSpool, toSend } from '../testdata/spooling.ts';
import { MemorySpool } from './memory-spool.ts';
import { type Spool, SpoolFullError } from './spool.ts';

const kinds: [string, (cap?: number) => Promise<Spool>][] = [
  ['on disk', async (cap) => (await openSpool(folder(), { segmentBytes: 2_000, ...(cap && { cap }) })).spool],
  ['in memory', async (cap) => new MemorySpool(cap ? { cap } : {})],
];

describe.each(kinds)('a spool %s', (_, open) => {
  it('hands out the oldest facts, in order, until they are acknowledged one by one', async () => {
    const spool = await open();
    await Promise.all([spool.append(toSend('1')), spool.append([counted(1), ...toSend('2', '3')]), spool.append([counted(2)])]);
    expect(await idsOf(spool)).toEqual(['1', '2', '3']);
    expect(await idsOf(spool, 2)).toEqual(['1', '2']);
    const [first, second] = await spool.oldest(2);
    spool.acknowledge([second?.sequence ?? 0]);
    expect(await idsOf(spool)).toEqual(['1', '3']);
    spool.acknowledge([first?.sequence ?? 0, second?.sequence ?? 0]);
    await spool.append(toSend('4'));
    expect(await idsOf(spool)).toEqual(['3', '4']);
    expect(spool.stats()).toMatchObject({ waiting: 2, damaged: 0 });
    await spool.close();
  });

  it('refuses above its cap at once, takes acknowledgements there, and more input after them', async () => {
    const spool = await open(20_000);
    let kept = 0;
    const fill = async (): Promise<unknown> => {
      for (; ; kept++) {
        const refused = await spool.append(toSend(`fact-${kept}`)).catch((error: unknown) => error);
        if (refused) return refused;
      }
    };
    expect(await fill()).toBeInstanceOf(SpoolFullError);
    expect(kept).toBeGreaterThan(50);
    expect(spool.stats().bytes).toBeLessThanOrEqual(20_000);
    expect(await idsOf(spool)).toHaveLength(kept);
    while (spool.stats().waiting > 0) spool.acknowledge((await spool.oldest(7)).map(({ sequence }) => sequence));
    expect(spool.isFull()).toBe(false);
    await spool.append(toSend('after'));
    expect(await idsOf(spool)).toEqual(['after']);
    await spool.close();
  });

  it('reads ahead a bounded number of bytes only', async () => {
    const spool = await open();
    const big = 'x'.repeat(1_500_000);
    for (const id of ['1', '2', '3', '4', '5']) await spool.append([{ kind: 'fact', fact: fact(id, { big }) }]);
    expect(await idsOf(spool)).toEqual(['1', '2', '3']);
    await spool.close();
  });
});

describe('a spool on disk, opened again', () => {
  it('still has what was not acknowledged, and the log in order', async () => {
    const directory = folder();
    const { spool } = await openSpool(directory, { segmentBytes: 500 });
    for (let i = 1; i <= 20; i++) await spool.append([counted(i), ...toSend(String(i))]);
    spool.acknowledge((await spool.oldest(8)).map(({ sequence }) => sequence));
    await spool.close();
    const { spool: again, problems } = await openSpool(directory);
    expect(await idsOf(again)).toEqual(Array.from({ length: 12 }, (_, i) => String(i + 9)));
    expect(await logOf(again)).toEqual(Array.from({ length: 20 }, (_, i) => [`fact ${i + 1}`, `counted ${i + 1}`]).flat());
    await again.append(toSend('new'));
    expect((await idsOf(again)).at(-1)).toBe('new');
    expect(problems).toEqual([]);
    await again.close();
  });

  it('never gives a number to two facts, even when the segments of the first are gone', async () => {
    const directory = folder();
    for (let round = 1; round <= 4; round++) {
      const { spool } = await openSpool(directory, { segmentBytes: 100, keep: 0 });
      await spool.append(toSend(`${round}a`, `${round}b`));
      await spool.append(toSend(`${round}c`));
      expect(await idsOf(spool)).toEqual([`${round}a`, `${round}b`, `${round}c`]);
      spool.acknowledge((await spool.oldest(3)).map(({ sequence }) => sequence));
      spool.expire(1_000);
      await spool.close();
    }
  });
});

describe('the segments of a spool on disk', () => {
  const files = (directory: string) => readdirSync(directory).filter((name) => name.endsWith('.spool')).length;

  it('are deleted when their facts are acknowledged and their counted records older than every window', async () => {
    const directory = folder();
    const { spool } = await openSpool(directory, { segmentBytes: 1, keep: 60_000 });
    for (let i = 1; i <= 5; i++) await spool.append([counted(i * 1_000), ...toSend(String(i))]);
    spool.acknowledge((await spool.oldest(3)).map(({ sequence }) => sequence));
    spool.expire(60_000);
    await spool.append(toSend('6'));
    expect(await idsOf(spool)).toEqual(['4', '5', '6']);
    const before = files(directory);
    spool.expire(62_500);
    await spool.append(toSend('7'));
    await spool.close();
    expect(before - files(directory) + 1).toBe(2);
    const { spool: again } = await openSpool(directory);
    expect((await logOf(again))[0]).toBe('fact 3');
    expect(await idsOf(again)).toEqual(['4', '5', '6', '7']);
    await again.close();
  });

  it('make room for facts when only counted records are in the way, and say so', async () => {
    const forgotten: number[] = [];
    const { spool } = await openSpool(folder(), { cap: 5_000, segmentBytes: 500, onForgotten: (until) => void forgotten.push(until) });
    for (let i = 1; i <= 500; i++) await spool.append([counted(i)]);
    expect(spool.stats().bytes).toBeLessThan(5_000);
    expect(forgotten.length).toBeGreaterThan(5);
    expect(forgotten).toEqual(forgotten.toSorted((a, b) => a - b));
    await spool.close();
  });
});
