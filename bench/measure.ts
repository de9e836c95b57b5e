import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** What one run of a program took, its children included. */
export interface Cost {
  cpuSeconds: number;
  wallSeconds: number;
  rssMiB: number;
}

/** What a program wrote: how many events, and a hash of their sorted auditIDs. */
export interface Hits {
  count: number;
  hash: string;
}

const TIME = '/usr/bin/time';

/** True when this file can be executed. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program on one core and measures it with GNU time. `until` may end it: it is given the process group's leader. */
export async function measured(
  command: string[],
  { env = {}, until }: { env?: Record<string, string>; until?: (child: ChildProcess) => Promise<void> } = {},
): Promise<Cost> {
  if (!isExecutable(TIME)) throw new Error(`${TIME} is missing: install the package "time".`);
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const began = performance.now();
  const child = spawn('taskset', ['-c', '1', TIME, '-f', '\n@ %U %S %M', 'env', ...set, ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const ended = once(child, 'close');
  await until?.(child);
  const [code] = await ended;
  const [, user, system, kilobytes] = /@ (\S+) (\S+) (\d+)\s*$/.exec(errors) ?? [];
  if (kilobytes === undefined || (code !== 0 && !until)) throw new Error(`${command[0]} failed: ${errors.trim().slice(-500)}`);
  return { cpuSeconds: Number(user) + Number(system), wallSeconds: (performance.now() - began) / 1_000, rssMiB: Number(kilobytes) / 1_024 };
}

/** Reads the hits that a program wrote, a line each. */
export async function hitsOf(path: string): Promise<Hits> {
  const ids: string[] = [];
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const id = /"auditID": ?"([^"]+)"/.exec(line)?.[1];
    if (id !== undefined) ids.push(id);
  }
  return { count: ids.length, hash: createHash('sha256').update(ids.sort().join('\n')).digest('hex').slice(0, 16) };
}
