import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { secondsAfter } from './testdata/audit-reading.ts';

const COUNT = 8_000;
let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-killed-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const run = (program: string, ...args: string[]): ChildProcess => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testdata', program), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  return child;
};

interface Told {
  from?: number | null;
  ids?: number[];
  gap?: [number, number];
  dropped?: number;
  reason?: string;
}

/** What the readers kept; the line that a kill tore was not acknowledged. */
async function told(kept: string): Promise<Told[]> {
  const text = await readFile(kept, 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Told];
      } catch {
        return [];
      }
    });
}

/** Reads with a process that is killed again and again, until the last event was kept after the writer had ended. */
async function readWhileKilled(mode: string): Promise<{ all: Told[]; kills: number }> {
  const log = join(folder, 'audit.log');
  const kept = join(folder, 'kept');
  await writeFile(log, '');
  const first = run('log-reader.ts', log, kept);
  while (!(await readdir(folder)).includes('kept.checkpoint')) await delay(10);
  first.kill('SIGKILL');
  const writer = run('log-writer.ts', log, mode, `${COUNT}`);
  let writing = true;
  void once(writer, 'exit').then(() => {
    writing = false;
  });
  for (let kills = 0; ; kills++) {
    const reader = run('log-reader.ts', log, kept);
    await delay(150 + Math.random() * 350);
    reader.kill('SIGKILL');
    await once(reader, 'exit');
    const all = await told(kept);
    if (!writing && all.some(({ ids }) => ids?.at(-1) === COUNT)) return { all, kills };
  }
}

it('nothing is lost while the log rotates mid-write and the reader is killed', async () => {
  const { all, kills } = await readWhileKilled('rename');
  expect(kills).toBeGreaterThan(3);
  expect((await readdir(folder)).filter((name) => name.startsWith('audit-')).length).toBeGreaterThan(10);
  // Each process goes on directly after what its checkpoint says, without a hole: repeated is only what had none.
  let next = 1;
  for (const { from, ids = [] } of all) {
    if (from !== undefined) next = from === null ? 1 : (from - secondsAfter(0)) / 1_000 + 1;
    expect(ids).toEqual(ids.map((_, i) => next + i));
    next += ids.length;
  }
  expect(new Set(all.flatMap(({ ids = [] }) => ids)).size).toBe(COUNT);
  expect(all.filter(({ gap, dropped }) => gap ?? dropped)).toEqual([]);
}, 120_000);

it('what copying and truncating loses lies in a reported gap', async () => {
  const { all } = await readWhileKilled('copytruncate');
  const kept = new Set(all.flatMap(({ ids = [] }) => ids));
  const gaps = all.flatMap(({ gap }) => (gap ? [gap] : []));
  expect(gaps.length).toBeGreaterThan(3);
  const lost = Array.from({ length: COUNT }, (_, i) => i + 1).filter((id) => !kept.has(id));
  expect(lost.filter((id) => !gaps.some(([from, to]) => from <= secondsAfter(id) && secondsAfter(id) <= to))).toEqual([]);
  // Only the lines written between a copy and the truncation.
  expect(lost.length).toBeLessThan(COUNT / 4);
}, 120_000);
