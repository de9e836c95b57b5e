import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const BEAT = 5_000;
/** A holder that has not touched its lock for so long was killed, or the machine slept. */
const STALE = 60_000;

/** Runs `work` while holding a lock file; waits for another holder, and takes over from one that died. */
export async function withLock<T>(path: string, progress: (line: string) => void, work: () => Promise<T>): Promise<T> {
  let told = false;
  while (!(await take(path))) {
    const holder = await readHolder(path);
    if (holder === undefined) continue;
    if (!holder.alive) {
      progress(`The lock ${path} was left by process ${holder.pid}, which is gone: taking over.`);
      await rm(path, { force: true });
      continue;
    }
    if (!told) progress(`Process ${holder.pid} prepares the same already (${path}): waiting for it.`);
    told = true;
    await delay(250);
  }
  const beat = setInterval(() => touch(path), BEAT);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<{ pid: number; alive: boolean } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const fresh = Date.now() - mtimeMs < STALE;
    // An empty file is one that is being written just now.
    return { pid: Number(text), alive: fresh && (text === '' || exists(Number(text))) };
  } catch {
    return undefined; // released between our attempt and this look
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function touch(path: string): void {
  const now = new Date();
  utimes(path, now, now).catch(() => {}); // a removed lock is not ours to restore
}
