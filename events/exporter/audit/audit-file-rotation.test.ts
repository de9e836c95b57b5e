import { appendFile, copyFile, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
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

describe('rotation by rename', () => {
  it('is followed, after the rest of the old file', async () => {
    await writeFile(log, lines(1, 3));
    const reading = folder.start();
    await has(reading, 3);
    await appendFile(log, lines(4, 5));
    await rename(log, folder.rotated(6));
    await writeFile(log, lines(6, 7));
    await has(reading, 7);
    expect(reading.ids).toEqual(ids(1, 7));
    quiet(reading);
  });

  it('does not end the old file while its writer still has it', async () => {
    await writeFile(log, lines(1, 1));
    const reading = folder.start();
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
    const saved = await folder.readUntil(2 + 1);
    await appendFile(log, lines(4, 4));
    for (const at of [5, 7, 9]) {
      await rename(log, folder.rotated(at));
      await writeFile(log, lines(at, at + 1));
    }
    // An older one, read long ago; its time of change says nothing.
    await writeFile(folder.rotated(-7_000), lines(900, 901));
    const reading = folder.start(saved);
    await has(reading, 10);
    expect(reading.ids).toEqual(ids(4, 10));
    quiet(reading);
  });

  it('may compress what was rotated', async () => {
    await writeFile(log, lines(1, 2_000));
    const saved = await folder.readUntil(2_000);
    await appendFile(log, lines(2_001, 2_002));
    const packed = await promisify(gzip)(await readFile(log));
    // In this order a new file gets no inode number back.
    await writeFile(`${log}.new`, lines(2_003, 2_004));
    await rm(log);
    await writeFile(`${folder.rotated(2_003)}.gz`, packed);
    await rename(`${log}.new`, log);
    const reading = folder.start(saved);
    await has(reading, 2_004);
    expect(reading.ids).toEqual(ids(2_001, 2_004));
    quiet(reading);
  });

  it('reports as a gap what a damaged compressed file does not give', async () => {
    const incompressible = Array.from({ length: 400 }, (_, i) => auditLine(i + 1).replace('""', `"${Math.random()}${Math.random()}"`)).join(
      '',
    );
    await writeFile(log, incompressible.slice(0, incompressible.indexOf('\n') + 1));
    const saved = await folder.readUntil(1);
    const packed = await promisify(gzip)(incompressible);
    await rm(log);
    await writeFile(`${folder.rotated(401)}.gz`, packed.subarray(0, packed.length / 2));
    await writeFile(log, lines(401, 402));
    const reading = folder.start(saved);
    await has(reading, 402);
    const last = Number(reading.ids.at(-3));
    expect(last).toBeGreaterThan(100);
    expect(reading.ids).toEqual([...ids(2, last), '401', '402']);
    expect(reading.gaps).toEqual([[secondsAfter(last), secondsAfter(401)]]);
  });

  it('counts the line it tore', async () => {
    await writeFile(log, lines(1, 1) + auditLine(2).slice(0, 50));
    const reading = folder.start();
    await has(reading, 1);
    await rename(log, folder.rotated(3));
    await writeFile(log, lines(3, 3));
    await has(reading, 3);
    expect(reading).toMatchObject({ ids: ['1', '3'], dropped: { 'partial-line': 1 }, gaps: [] });
  });

  it('reports a gap when files were deleted before they were read', async () => {
    await writeFile(log, lines(1, 3));
    const saved = await folder.readUntil(3);
    await rename(log, folder.rotated(100));
    await writeFile(log, lines(100, 101));
    await rename(log, folder.rotated(200));
    await writeFile(log, lines(200, 201));
    await rm(folder.rotated(100));
    const reading = folder.start(saved);
    await has(reading, 201);
    expect(reading.gaps).toEqual([[secondsAfter(3), secondsAfter(100)]]);
    expect(reading.ids).toEqual(['100', '101', '200', '201']);
    expect(reading.problems).toEqual([expect.stringContaining('rotated away')]);
  });

  it('reports a gap when the file being read is deleted, and those after it may be too', async () => {
    await writeFile(log, lines(1, 3));
    const reading = folder.start();
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
    const saved = await folder.readUntil(3);
    await rotate(lines(4, 4), lines(next, last));
    const reading = folder.start(saved);
    await has(reading, last);
    expect(reading.ids).toEqual(ids(4, last));
    // Lines written between the copy and the truncation are in neither.
    expect(reading.gaps).toEqual([[secondsAfter(4), secondsAfter(next)]]);
  });

  it('is seen while reading', async () => {
    await writeFile(log, lines(1, 3));
    const reading = folder.start();
    await has(reading, 3);
    await rotate(lines(4, 6), lines(7, 30));
    await has(reading, 30);
    expect(reading.ids).toEqual(ids(1, 30));
    expect(reading.gaps).toEqual([[expect.any(Number), secondsAfter(7)]]);
  });

  it('reports a gap when there is no copy', async () => {
    await writeFile(log, lines(1, 3));
    const reading = folder.start();
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
    const saved = await folder.readUntil(3);
    const { ino } = await stat(log);
    await writeFile(log, lines(70, 80));
    await utimes(log, secondsAfter(80) / 1_000, secondsAfter(80) / 1_000);
    expect((await stat(log)).ino).toBe(ino);
    const reading = folder.start(saved);
    await has(reading, 80);
    expect(reading).toMatchObject({ ids: ids(70, 80), gaps: [[secondsAfter(3), secondsAfter(70)]] });
  });
});
