import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from '@jest/globals';
import { counted, folder, idsOf, logOf, openSpool, toSend } from '../testdata/spooling.ts';
import { type Disk, realDisk } from './segment.ts';

const segmentsOf = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.spool'))
    .sort()
    .map((name) => join(directory, name));

/** A closed spool with one segment: facts a, b and c. */
async function three(): Promise<{ directory: string; path: string; bytes: Buffer; lastAt: number }> {
  const directory = folder();
  const { spool } = await openSpool(directory);
  await spool.append(toSend('a', 'b'));
  const lastAt = spool.stats().bytes;
  await spool.append(toSend('c'));
  await spool.close();
  const [path = ''] = segmentsOf(directory);
  return { directory, path, bytes: readFileSync(path), lastAt };
}

describe('a damaged spool', () => {
  it('loses only the last record, wherever its writing was broken off, and says how much it cut', async () => {
    const { directory, path, bytes, lastAt } = await three();
    for (let length = lastAt; length < bytes.length; length++) {
      for (const extra of segmentsOf(directory)) truncateSync(extra, 0);
      writeFileSync(path, bytes.subarray(0, length));
      const { spool, problems } = await openSpool(directory);
      expect(await idsOf(spool)).toEqual(['a', 'b']);
      expect(problems).toEqual(length === lastAt ? [] : [expect.stringContaining(`last ${length - lastAt} bytes`)]);
      expect(spool.stats().damaged).toBe(0);
      await spool.append(toSend('d'));
      expect(await idsOf(spool)).toEqual(['a', 'b', 'd']);
      await spool.close();
    }
  });

  it('skips the one record with a flipped bit, whichever bit it is', async () => {
    const { directory, path, bytes, lastAt } = await three();
    const each = lastAt / 2;
    for (let at = 0; at < each; at += 3) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      writeFileSync(path, flipped);
      const { spool, problems } = await openSpool(directory);
      expect(await idsOf(spool)).toEqual(['b', 'c']);
      expect(problems).toEqual([expect.stringContaining(`${each} bytes at 0 are damaged`)]);
      expect(spool.stats().damaged).toBe(1);
      await spool.close();
    }
  });

  it('reads the segments around a file of garbage', async () => {
    const directory = folder();
    const { spool } = await openSpool(directory, { segmentBytes: 1 });
    for (const id of ['a', 'b', 'c']) await spool.append(toSend(id));
    await spool.close();
    writeFileSync(segmentsOf(directory)[1] as string, Buffer.alloc(700_000, 0xf5));
    const { spool: again, problems } = await openSpool(directory);
    expect(await idsOf(again)).toEqual(['a', 'c']);
    expect(problems).toHaveLength(1);
    await again.close();
  });

  it('gives up facts that rot while it runs, instead of stopping before them for ever', async () => {
    const directory = folder();
    const { spool, problems } = await openSpool(directory, { segmentBytes: 1 });
    await spool.append(toSend('a', 'b'));
    await spool.append(toSend('c'));
    writeFileSync(segmentsOf(directory)[0] as string, Buffer.alloc(400));
    expect(await idsOf(spool)).toEqual(['c']);
    expect(spool.stats()).toMatchObject({ waiting: 1, damaged: 2 });
    expect(problems).toEqual([expect.stringContaining('2 facts cannot be read')]);
    await spool.close();
  });
});

describe('a disk that fails', () => {
  const failing = (on: 'write' | 'half a write' | 'sync', state: { broken: boolean }): Disk => ({
    async write(handle, bytes, position) {
      if (!state.broken || on === 'sync') return realDisk.write(handle, bytes, position);
      if (on === 'half a write' && bytes.length > 400) return realDisk.write(handle, bytes.subarray(0, 400), position);
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    },
    async sync(handle) {
      if (state.broken && on === 'sync') throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
      return realDisk.sync(handle);
    },
  });

  it.each(['write', 'half a write', 'sync'] as const)(
    'in a %s keeps what was kept, refuses the rest, and goes on when it works again',
    async (on) => {
      const directory = folder();
      const state = { broken: false };
      const { spool } = await openSpool(directory, { disk: failing(on, state) });
      await spool.append(toSend('a', 'b'));
      state.broken = true;
      for (const id of ['x'.repeat(300), 'y'.repeat(300)]) await expect(spool.append(toSend(id))).rejects.toThrow(/ENOSPC|EIO/);
      const [first] = await spool.oldest(1);
      spool.acknowledge([first?.sequence ?? 0]);
      expect(await idsOf(spool)).toEqual(['b']);
      state.broken = false;
      await spool.append([counted(1), ...toSend('c')]);
      expect(await idsOf(spool)).toEqual(['b', 'c']);
      // What a failed sync leaves behind is not certain, whatever the kernel says later.
      expect(segmentsOf(directory)).toHaveLength(on === 'sync' ? 2 : 1);
      await spool.close();
      const { spool: again, problems } = await openSpool(directory);
      expect(await idsOf(again)).toEqual(['b', 'c']);
      expect(await logOf(again)).toEqual(['fact a', 'fact b', 'fact c', 'counted 1']);
      expect(problems).toEqual([]);
      await again.close();
    },
  );
});

describe('a process killed with SIGKILL while it writes', () => {
  it('loses nothing that it was told is kept, and sends nothing again that was acknowledged for good', async () => {
    const directory = folder();
    const program = `
      import { DiskSpool } from ${JSON.stringify(join(import.meta.dirname, 'disk-spool.ts'))};
      const spool = await DiskSpool.open({ directory: ${JSON.stringify(directory)}, segmentBytes: 20_000, keep: 3_600_000, onProblem() {} });
      let next = Number(process.argv[1]);
      const one = async () => {
        const id = String(next++);
        await spool.append([{ kind: 'fact', fact: { id, source: '', 'detail-type': '', time: '', detail: { pad: 'x'.repeat(Number(id) % 900) } } }, { kind: 'counted', at: Date.now(), entry: id }]);
        process.stdout.write(id + '\\n');
      };
      for (;;) await Promise.all([one(), one(), one()]);`;
    const kept: string[] = [];
    for (let round = 0; round < 3; round++) {
      const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, String(round * 1_000_000)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        kept.push(line);
        if (++lines === 120 + round * 77) child.kill('SIGKILL');
      }
      const { spool } = await openSpool(directory);
      expect(spool.stats().damaged).toBe(0);
      const there = new Set(await idsOf(spool, 100_000));
      expect(kept.filter((id) => !there.has(id))).toEqual([]);
      expect(new Set((await logOf(spool)).filter((one) => one.startsWith('fact'))).size).toBe(there.size);
      await spool.close();
    }
  });
});
