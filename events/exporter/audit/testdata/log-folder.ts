import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditFileOptions, auditFile } from '../audit-file.ts';
import type { AuditSourceContext } from '../audit-source.ts';
import { type AuditReading, auditLine, eventually, readAudit, secondsAfter } from './audit-reading.ts';

/** A folder for an audit log, and readers of it. */
export interface LogFolder {
  path: string;
  log: string;
  /** The name kube-apiserver gives to a file it rotates at event `id`. */
  rotated(id: number): string;
  start(saved?: unknown, more?: Partial<AuditSourceContext>, options?: Partial<AuditFileOptions>): AuditReading;
  /** Reads from the beginning up to event `last`, and gives the checkpoint. */
  readUntil(last: number): Promise<unknown>;
  /** Stops the readers and removes the folder. */
  remove(): Promise<void>;
}

/** Makes an empty one. */
export async function makeLogFolder(): Promise<LogFolder> {
  const path = await mkdtemp(join(tmpdir(), 'kubemend-audit-'));
  const log = join(path, 'audit.log');
  const open: AuditReading[] = [];
  const start: LogFolder['start'] = (saved, more, options) => {
    const reading = readAudit(auditFile({ path: log, pollEvery: 5, ...options }), saved, more);
    open.push(reading);
    return reading;
  };
  return {
    path,
    log,
    rotated: (id) => join(path, `audit-${new Date(secondsAfter(id)).toISOString().replaceAll(':', '-').slice(0, -1)}.log`),
    start,
    async readUntil(last) {
      const reading = start();
      await has(reading, last);
      return (await reading.stop()).checkpoint;
    },
    async remove() {
      await Promise.all(open.map((one) => one.stop()));
      await rm(path, { recursive: true });
    },
  };
}

/** Resolves when event `last` is the last one that was read. */
export const has = (reading: AuditReading, last: number): Promise<void> => eventually(() => reading.ids.at(-1) === `${last}`, reading);

/** The lines of events `from` to `to`. */
export const lines = (from: number, to: number, padding = 0): string =>
  Array.from({ length: to - from + 1 }, (_, i) => auditLine(from + i, padding)).join('');

/** The auditIDs of events `from` to `to`. */
export const ids = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
