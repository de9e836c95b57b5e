import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder that can run out of space. */
export interface SmallDisk {
  /** As a program sees it that is started behind `enter`. */
  directory: string;
  /** What a program is started with, so that it sees the disk; the program keeps the process ID. */
  enter: string[];
  /** `tmpfs`: really full. `injected`: no small file system can be mounted here, so writes in the exporter's process fail instead. */
  kind: 'tmpfs' | 'injected';
  /** For the exporter, when the fault is injected. */
  fullWhile?: string;
  /** Takes all the space that is left. */
  fill(): Promise<void>;
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** A tmpfs in a mount namespace of its own, which needs no root and leaves nothing behind; `folder` is where it is mounted there. */
export async function makeSmallDisk(folder: string, bytes: number): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true });
  const holder = await holdMount(folder, bytes);
  return holder ? realDisk(folder, bytes, holder) : injectedDisk(folder);
}

/** The process whose end unmounts it; undefined where namespaces are forbidden. */
async function holdMount(folder: string, bytes: number): Promise<ChildProcess | undefined> {
  const script = 'mount -t tmpfs -o size="$2" tmpfs "$1" && echo mounted && exec cat';
  // It ends with its input, and so with us.
  const holder = spawn('unshare', ['-rm', 'sh', '-c', script, 'small-disk', folder, `${bytes}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  const isMounted = await new Promise<boolean>((resolve) => {
    holder.stdout.once('data', () => resolve(true));
    holder.once('error', () => resolve(false));
    holder.once('exit', () => resolve(false));
  });
  if (!isMounted) return undefined;
  const root = join(`/proc/${holder.pid}/root${folder}`, 'probe');
  return writeFile(root, 'x')
    .then(() => rm(root))
    .then(
      () => holder,
      () => void holder.kill(),
    );
}

function realDisk(folder: string, bytes: number, holder: ChildProcess): SmallDisk {
  const filler = join(`/proc/${holder.pid}/root${folder}`, '..filler');
  return {
    directory: join(folder, 'exporter'),
    enter: ['nsenter', '--target', `${holder.pid}`, '--user', '--preserve-credentials', '--mount'],
    kind: 'tmpfs',
    async fill() {
      for (let size = bytes; size >= 1; size = Math.floor(size / 2)) await appendFile(filler, Buffer.alloc(size)).catch(isFull);
    },
    async empty() {
      await truncate(filler);
    },
    async close() {
      holder.kill('SIGKILL');
    },
  };
}

function injectedDisk(folder: string): SmallDisk {
  const fullWhile = join(folder, 'full');
  return {
    directory: join(folder, 'exporter'),
    enter: [],
    kind: 'injected',
    fullWhile,
    fill: () => writeFile(fullWhile, ''),
    empty: () => rm(fullWhile, { force: true }),
    close: async () => {},
  };
}

function isFull(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOSPC') throw error;
}
