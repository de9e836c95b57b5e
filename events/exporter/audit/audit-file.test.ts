import { appendFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { auditLine, eventually, secondsAfter, type Told } from './testdata/audit-reading.ts';
import { has, ids, type LogFolder, lines, makeLogFolder } from './testdata/log-folder.ts';

let folder: LogFolder;
let log: string;
beforeEach(async () => {
  folder = await makeLogFolder();
  log = folder.log;
});
afterEach(() => folder.remove());

const quiet = ({ dropped, gaps, problems }: Told) => expect({ dropped, gaps, problems }).toEqual({ dropped: {}, gaps: [], problems: [] });

describe('the audit log', () => {
  it('is read from its beginning, and as it grows', async () => {
    await writeFile(log, lines(1, 3));
    const reading = folder.start();
    await has(reading, 3);
    await appendFile(log, lines(4, 5));
    await has(reading, 5);
    expect(reading.ids).toEqual(ids(1, 5));
    quiet(reading);
  });

  it('gives a line only when its end is there', async () => {
    await writeFile(log, lines(1, 1) + auditLine(2).slice(0, 40));
    const reading = folder.start();
    await has(reading, 1);
    await appendFile(log, auditLine(2).slice(40, -1));
    await eventually(() => reading.ids.length === 1, reading);
    await appendFile(log, `\n${auditLine(3)}`);
    await has(reading, 3);
    expect(reading.ids).toEqual(ids(1, 3));
    quiet(reading);
  });

  it('is waited for, and says what to mount', async () => {
    const reading = folder.start();
    await eventually(() => reading.problems.length > 0, reading);
    await writeFile(log, lines(1, 2));
    await has(reading, 2);
    expect(reading.problems).toEqual([expect.stringContaining(`mount the folder ${folder.path}`)]);
  });

  it('goes on where the checkpoint says', async () => {
    await writeFile(log, lines(1, 3));
    const saved = await folder.readUntil(3);
    await appendFile(log, lines(4, 5));
    const reading = folder.start(saved);
    await has(reading, 5);
    expect(reading.ids).toEqual(['4', '5']);
    quiet(reading);
  });

  it('is handed on again until it is kept, and the checkpoint waits for that', async () => {
    await writeFile(log, lines(1, 3));
    let failures = 3;
    const tries: string[][] = [];
    const reading = folder.start(undefined, {
      accept: async (events) => {
        tries.push(events.map((event) => (event as { auditID: string }).auditID));
        expect(reading.checkpoint).toMatchObject({ offset: 0 });
        if (failures-- > 0) throw new Error('no space left');
      },
    });
    await eventually(() => (reading.checkpoint as { offset: number } | undefined)?.offset === lines(1, 3).length, reading);
    expect(tries).toEqual([ids(1, 3), ids(1, 3), ids(1, 3), ids(1, 3)]);
    expect(reading.problems).toEqual([expect.stringContaining('no space left')]);
  });

  it('goes on when a checkpoint cannot be written, and writes it later', async () => {
    await writeFile(log, lines(1, 1));
    let failures = 2;
    const written: unknown[] = [];
    const write = async (value: unknown) => {
      if (failures-- > 0) throw new Error('read-only');
      written.push(value);
    };
    const reading = folder.start(undefined, { checkpoint: { read: () => undefined, write } });
    await eventually(() => written.length > 0, reading);
    expect(written).toEqual([expect.objectContaining({ offset: lines(1, 1).length, lastAt: secondsAfter(1) })]);
  });

  it('starts over from a checkpoint it cannot read', async () => {
    await writeFile(log, lines(1, 1));
    const reading = folder.start({ offset: 'far' });
    await has(reading, 1);
    expect(reading.problems).toEqual([expect.stringContaining('unreadable')]);
  });
});

describe('lines that are no events', () => {
  it.each([
    ['bad JSON is counted', `${auditLine(1)}{"kind":"Ev}\n\n${auditLine(2)}`, ['1', '2'], { malformed: 1 }],
    ['a line torn by a crash does not take the next one with it', `${auditLine(1).slice(0, 70)}${auditLine(2)}`, ['2'], { malformed: 1 }],
    ['a long line is skipped', `${auditLine(1)}${auditLine(2, 5_000_000)}${auditLine(3)}`, ['1', '3'], { 'long-line': 1 }],
    [
      'a long line at the beginning too',
      `${auditLine(1, 3_000_000)}${auditLine(2, 1_500_000)}${auditLine(3)}`,
      ['2', '3'],
      { 'long-line': 1 },
    ],
  ])('%s', async (_, text, expected, dropped) => {
    await writeFile(log, text);
    const reading = folder.start(undefined, {}, { maxLine: 2 ** 21 });
    await eventually(() => reading.ids.length >= expected.length, reading);
    expect(reading).toMatchObject({ ids: expected, dropped, gaps: [] });
  });

  it('a long line that comes in pieces is one long line, also after a restart', async () => {
    await writeFile(log, auditLine(1) + auditLine(2, 5_000_000).slice(0, 3_000_000));
    const saved = await folder.readUntil(1);
    const reading = folder.start(saved, {}, { maxLine: 2 ** 20 });
    await appendFile(log, auditLine(2, 5_000_000).slice(3_000_000) + auditLine(3));
    await has(reading, 3);
    expect(reading).toMatchObject({ ids: ['3'], dropped: { 'long-line': 1 } });
  });

  it('are never more than a batch at once', async () => {
    await writeFile(log, lines(1, 3_000, 2_000));
    const sizes: number[] = [];
    const parse = (text: Buffer) => {
      sizes.push(text.length);
      return {
        events: text
          .toString()
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
        malformed: 0,
      };
    };
    const reading = folder.start(undefined, {}, { parse });
    await has(reading, 3_000);
    expect(reading.ids).toEqual(ids(1, 3_000));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 ** 20);
    expect(sizes.length).toBeLessThan(10);
  });
});
