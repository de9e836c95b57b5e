import { appendFile, copyFile, mkdtemp, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { auditFile } from './audit-file.ts';
import { type AuditReading, auditLine, eventually, readAudit, secondsAfter, type Told } from './testdata/audit-reading.ts';

let folder: string;
let log: string;
const open: AuditReading[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-audit-'));
  log = join(folder, 'audit.log');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()));
  await rm(folder, { recursive: true });
});

const lines = (from: number, to: number, padding = 0): string =>
  Array.from({ length: to - from + 1 }, (_, i) => auditLine(from + i, padding)).join('');
const ids = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
/** The name kube-apiserver gives to a file it rotates at event `id`. */
const rotated = (id: number): string =>
  join(folder, `audit-${new Date(secondsAfter(id)).toISOString().replaceAll(':', '-').slice(0, -1)}.log`);
const start = (...[saved, more, options]: [unknown?, Parameters<typeof readAudit>[2]?, object?]): AuditReading => {
  const reading = readAudit(auditFile({ path: log, pollEvery: 5, ...options }), saved, more);
  open.push(reading);
  return reading;
};
const has = (reading: AuditReading, last: number) => eventually(() => reading.ids.at(-1) === `${last}`, reading);
/** Reads what is there to its end, and gives the checkpoint. */
const readUntil = async (last: number): Promise<unknown> => {
  const reading = start();
  await has(reading, last);
  return (await reading.stop()).checkpoint;
};
const quiet = ({ dropped, gaps, problems }: Told) => expect({ dropped, gaps, problems }).toEqual({ dropped: {}, gaps: [], problems: [] });

describe('the audit log', () => {
  it('is read from its beginning, and as it grows', async () => {
    await writeFile(log, lines(1, 3));
    const reading = start();
    await has(reading, 3);
    await appendFile(log, lines(4, 5));
    await has(reading, 5);
    expect(reading.ids).toEqual(ids(1, 5));
    quiet(reading);
  });

  it('gives a line only when its end is there', async () => {
    await writeFile(log, lines(1, 1) + auditLine(2).slice(0, 40));
    const reading = start();
    await has(reading, 1);
    await appendFile(log, auditLine(2).slice(40, -1));
    await eventually(() => reading.ids.length === 1, reading);
    await appendFile(log, `\n${auditLine(3)}`);
    await has(reading, 3);
    expect(reading.ids).toEqual(ids(1, 3));
    quiet(reading);
  });

  it('is waited for, and says what to mount', async () => {
    const reading = start();
    await eventually(() => reading.problems.length > 0, reading);
    await writeFile(log, lines(1, 2));
    await has(reading, 2);
    expect(reading.problems).toEqual([expect.stringContaining(`mount the folder ${folder}`)]);
  });

  it('goes on where the checkpoint says', async () => {
    await writeFile(log, lines(1, 3));
    const saved = await readUntil(3);
    await appendFile(log, lines(4, 5));
    const reading = start(saved);
    await has(reading, 5);
    expect(reading.ids).toEqual(['4', '5']);
    quiet(reading);
  });

  it('is handed on again until it is kept, and the checkpoint waits for that', async () => {
    await writeFile(log, lines(1, 3));
    let failures = 3;
    const tries: string[][] = [];
    const reading = start(undefined, {
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
    const reading = start(undefined, { checkpoint: { read: () => undefined, write } });
    await eventually(() => written.length > 0, reading);
    expect(written).toEqual([expect.objectContaining({ offset: lines(1, 1).length, lastAt: secondsAfter(1) })]);
  });

  it('starts over from a checkpoint it cannot read', async () => {
    await writeFile(log, lines(1, 1));
    const reading = start({ offset: 'far' });
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
    const reading = start(undefined, {}, { maxLine: 2 ** 21 });
    await eventually(() => reading.ids.length >= expected.length, reading);
    expect(reading).toMatchObject({ ids: expected, dropped, gaps: [] });
  });

  it('a long line that comes in pieces is one long line, also after a restart', async () => {
    await writeFile(log, auditLine(1) + auditLine(2, 5_000_000).slice(0, 3_000_000));
    const saved = await readUntil(1);
    const reading = start(saved, {}, { maxLine: 2 ** 20 });
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
    const reading = start(undefined, {}, { parse });
    await has(reading, 3_000);
    expect(reading.ids).toEqual(ids(1, 3_000));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 ** 20);
    expect(sizes.length).toBeLessThan(10);
  });
});

describe('rotation by rename', () => {
  it('is followed, after the rest of the old file', async () => {
    await writeFile(log, lines(1, 3));
    const reading = start();
    await has(reading, 3);
    await appendFile(log, lines(4, 5));
    await rename(log, rotated(6));
    await writeFile(log, lines(6, 7));
    await has(reading, 7);
    expect(reading.ids).toEqual(ids(1, 7));
    quiet(reading);
  });

  it('does not end the old file while its writer still has it', async () => {
    await writeFile(log, lines(1, 1));
    const reading = start();
    await has(reading, 1);
    await rename(log, `${log}.1`);
    await writeFile(log, '');
    await appendFile(`${log}.1`, lines(2, 3));
    await has(reading, 3);
    await appendFile(log, lines(4, 4));
    await has(reading, 4);
    expect(reading.ids).toEqual(ids(1, 4));
    quiet(reading);
  });

  it('may happen several times while nobody reads', async () => {
    await writeFile(log, lines(1, 3));
    const saved = await readUntil(2 + 1);
    await appendFile(log, lines(4, 4));
    for (const at of [5, 7, 9]) {
      await rename(log, rotated(at));
      await writeFile(log, lines(at, at + 1));
    }
    // An older one, read long ago; its time of change says nothing.
    await writeFile(rotated(-7_000), lines(900, 901));
    const reading = start(saved);
    await has(reading, 10);
    expect(reading.ids).toEqual(ids(4, 10));
    quiet(reading);
  });

  it('may compress what was rotated', async () => {
    await writeFile(log, lines(1, 2_000));
    const saved = await readUntil(2_000);
    await appendFile(log, lines(2_001, 2_002));
    const packed = await promisify(gzip)(await readFile(log));
    // In this order a new file gets no inode number back.
    await writeFile(`${log}.new`, lines(2_003, 2_004));
    await rm(log);
    await writeFile(`${rotated(2_003)}.gz`, packed);
    await rename(`${log}.new`, log);
    const reading = start(saved);
    await has(reading, 2_004);
    expect(reading.ids).toEqual(ids(2_001, 2_004));
    quiet(reading);
  });

  it('reports as a gap what a damaged compressed file does not give', async () => {
    const incompressible = Array.from({ length: 400 }, (_, i) => auditLine(i + 1).replace('""', `"${Math.random()}${Math.random()}"`)).join(
      '',
    );
    await writeFile(log, incompressible.slice(0, incompressible.indexOf('\n') + 1));
    const saved = await readUntil(1);
    const packed = await promisify(gzip)(incompressible);
    await rm(log);
    await writeFile(`${rotated(401)}.gz`, packed.subarray(0, packed.length / 2));
    await writeFile(log, lines(401, 402));
    const reading = start(saved);
    await has(reading, 402);
    const last = Number(reading.ids.at(-3));
    expect(last).toBeGreaterThan(100);
    expect(reading.ids).toEqual([...ids(2, last), '401', '402']);
    expect(reading.gaps).toEqual([[secondsAfter(last), secondsAfter(401)]]);
  });

  it('counts the line it tore', async () => {
    await writeFile(log, lines(1, 1) + auditLine(2).slice(0, 50));
    const reading = start();
    await has(reading, 1);
    await rename(log, rotated(3));
    await writeFile(log, lines(3, 3));
    await has(reading, 3);
    expect(reading).toMatchObject({ ids: ['1', '3'], dropped: { 'partial-line': 1 }, gaps: [] });
  });

  it('reports a gap when files were deleted before they were read', async () => {
    await writeFile(log, lines(1, 3));
    const saved = await readUntil(3);
    await rename(log, rotated(100));
    await writeFile(log, lines(100, 101));
    await rename(log, rotated(200));
    await writeFile(log, lines(200, 201));
    await rm(rotated(100));
    const reading = start(saved);
    await has(reading, 201);
    expect(reading.gaps).toEqual([[secondsAfter(3), secondsAfter(100)]]);
    expect(reading.ids).toEqual(['100', '101', '200', '201']);
    expect(reading.problems).toEqual([expect.stringContaining('rotated away')]);
  });

  it('reports a gap when the file being read is deleted, and those after it may be too', async () => {
    await writeFile(log, lines(1, 3));
    const reading = start();
    await has(reading, 3);
    await rm(log);
    await writeFile(log, lines(9, 9));
    await has(reading, 9);
    expect(reading).toMatchObject({ ids: ['1', '2', '3', '9'], gaps: [[secondsAfter(3), secondsAfter(9)]] });
    expect(reading.problems).toEqual([expect.stringContaining('--audit-log-maxbackup')]);
  });
});

describe('rotation by copying and truncating', () => {
  const rotate = async (rest: string, regrown: string) => {
    await appendFile(log, rest);
    await copyFile(log, `${log}.1`);
    await truncate(log);
    await appendFile(log, regrown);
  };

  it.each([
    ['smaller than before', 5, 6],
    ['already larger than before', 5, 40],
  ])('is seen when the file is %s: the rest is read from the copy', async (_, next, last) => {
    await writeFile(log, lines(1, 3));
    const saved = await readUntil(3);
    await rotate(lines(4, 4), lines(next, last));
    const reading = start(saved);
    await has(reading, last);
    expect(reading.ids).toEqual(ids(4, last));
    // Lines written between the copy and the truncation are in neither.
    expect(reading.gaps).toEqual([[secondsAfter(4), secondsAfter(next)]]);
  });

  it('is seen while reading', async () => {
    await writeFile(log, lines(1, 3));
    const reading = start();
    await has(reading, 3);
    await rotate(lines(4, 6), lines(7, 30));
    await has(reading, 30);
    expect(reading.ids).toEqual(ids(1, 30));
    expect(reading.gaps).toEqual([[expect.any(Number), secondsAfter(7)]]);
  });

  it('reports a gap when there is no copy', async () => {
    await writeFile(log, lines(1, 3));
    const reading = start();
    await has(reading, 3);
    await truncate(log);
    await eventually(() => reading.gaps.length > 0, reading);
    await appendFile(log, lines(50, 60));
    await has(reading, 60);
    expect(reading.ids).toEqual([...ids(1, 3), ...ids(50, 60)]);
    expect(reading.gaps).toEqual([[secondsAfter(3), expect.any(Number)]]);
  });

  it('another file with the same inode number is no old friend', async () => {
    await writeFile(log, lines(1, 3));
    const saved = await readUntil(3);
    const { ino } = await stat(log);
    await writeFile(log, lines(70, 80));
    await utimes(log, secondsAfter(80) / 1_000, secondsAfter(80) / 1_000);
    expect((await stat(log)).ino).toBe(ino);
    const reading = start(saved);
    await has(reading, 80);
    expect(reading).toMatchObject({ ids: ids(70, 80), gaps: [[secondsAfter(3), secondsAfter(70)]] });
  });
});
