import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { folder, idsOf, openSpool, toSend } from '../testdata/spooling.ts';
import { DirectoryInUseError, lockDirectory } from './directory-lock.ts';

/** Another process that holds the spool in this directory until it is killed. */
async function holderOf(directory: string): Promise<ChildProcess> {
  const program = `
    import { DiskSpool } from ${JSON.stringify(join(import.meta.dirname, 'disk-spool.ts'))};
    const spool = await DiskSpool.open({ directory: ${JSON.stringify(directory)}, keep: 1, onProblem() {} });
    await spool.append(${JSON.stringify(toSend('of the first'))});
    // Referenced from here on: a spool that is collected gives its lock back.
    globalThis.held = spool;
    process.stdout.write('ready');
    setInterval(() => {}, 1_000);`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('a directory of a spool', () => {
  it('is refused to a second process with one sentence that names the directory and the first process', async () => {
    const directory = join(folder(), 'segments');
    const first = await holderOf(directory);
    try {
      const refused = await openSpool(directory).catch((error: Error) => error);
      expect(refused).toBeInstanceOf(DirectoryInUseError);
      expect(String(refused)).toContain(`${directory} is in use by process ${first.pid} on `);
    } finally {
      first.kill('SIGKILL');
    }
  });

  it('is free as soon as the process that used it is killed, with everything that was durable', async () => {
    const directory = join(folder(), 'segments');
    const first = await holderOf(directory);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const { spool } = await openSpool(directory);
    expect(await idsOf(spool)).toEqual(['of the first']);
    await spool.close();
  });

  it('is refused twice in one process, too, until the first spool is closed', async () => {
    const directory = join(folder(), 'segments');
    const { spool } = await openSpool(directory);
    await expect(openSpool(directory)).rejects.toThrow(`is in use by process ${process.pid} `);
    await spool.append(toSend('a'));
    await spool.close();
    const { spool: again } = await openSpool(directory);
    await again.close();
  });

  it('is the same directory under another name', async () => {
    const [directory, link] = [join(folder(), 'segments'), join(folder(), 'link')];
    mkdirSync(directory);
    symlinkSync(directory, link);
    const { spool } = await openSpool(directory);
    await expect(openSpool(link)).rejects.toBeInstanceOf(DirectoryInUseError);
    await spool.close();
  });

  it('is free again when opening the spool fails', async () => {
    const directory = join(folder(), 'segments');
    mkdirSync(join(directory, '0000000001.spool'), { recursive: true });
    await expect(openSpool(directory)).rejects.toThrow('EISDIR');
    lockDirectory(directory).release();
  });
});
