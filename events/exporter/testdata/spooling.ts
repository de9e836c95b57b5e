import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { Envelope } from '../../fact.ts';
import { DiskSpool, type DiskSpoolOptions } from '../spool/disk-spool.ts';
import type { Spool, SpoolEntry } from '../spool/spool.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A folder that is gone after the test. */
export function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-spool-'));
  directories.push(directory);
  return directory;
}

export const fact = (id: string, more: object = {}): Envelope => ({
  id,
  source: 'kubernetes',
  'detail-type': 'Object Changed',
  time: '2026-11-21T10:00:00.000Z',
  detail: { id, ...more },
});
export const toSend = (...ids: string[]): SpoolEntry[] => ids.map((id) => ({ kind: 'fact', fact: fact(id) }));
export const counted = (at: number, entry: unknown = { at }): SpoolEntry => ({ kind: 'counted', at, entry });

/** Opens a spool on disk, and remembers what it complains about. */
export async function openSpool(directory: string, more: Partial<DiskSpoolOptions> = {}) {
  const problems: string[] = [];
  const spool = await DiskSpool.open({ directory, keep: 60_000, onProblem: (message) => void problems.push(message), ...more });
  return { spool, problems };
}

export const idsOf = async (spool: Spool, limit = 1_000): Promise<string[]> => (await spool.oldest(limit)).map(({ fact: { id } }) => id);

/** Everything in the log: `fact a`, `counted 5`. */
export async function logOf(spool: Spool): Promise<string[]> {
  const log: string[] = [];
  for await (const entry of spool.restore()) log.push(entry.kind === 'fact' ? `fact ${entry.fact.id}` : `counted ${entry.at}`);
  return log;
}
