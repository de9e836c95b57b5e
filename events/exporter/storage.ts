import { join } from 'node:path';
import * as z from 'zod';
import { privateDirectoryOf } from '../private-files.ts';
import type { Counted } from './reduce/counted.ts';
import { DeadLetterFile, type DeadLetters, deadLettersInLog } from './sink/dead-letters.ts';
import { type Checkpoint, CheckpointFile, checkpointInMemory } from './spool/checkpoint-file.ts';
import { DiskSpool } from './spool/disk-spool.ts';
import { MemorySpool } from './spool/memory-spool.ts';
import type { Spool } from './spool/spool.ts';
import { WatchCheckpoint } from './watch/watch-checkpoint.ts';

/** What an exporter keeps across restarts, or only as long as it runs when it has no folder. */
export interface Storage {
  spool: Spool;
  deadLetters: DeadLetters;
  watchCheckpoint(group: string, resource: string): WatchCheckpoint;
  sourceCheckpoint(name: string): Checkpoint;
  /** When a process before this one last wrote; undefined for the first one. */
  alive: Alive | undefined;
  /** Writes that this process lives, and is not blind to audit. */
  saveAlive(alive: Alive): Promise<void>;
}

const aliveSchema = z.object({ at: z.number(), hasAudit: z.boolean() });
/** `at`: milliseconds. */
export type Alive = z.infer<typeof aliveSchema>;

/** How storage is opened. */
export interface StorageOptions {
  directory?: string | undefined;
  /** Most bytes of the spool. */
  cap?: number | undefined;
  /** Milliseconds that a counted record may matter. */
  keep: number;
  now(): number;
  onProblem(message: string): void;
  onForgotten(until: number): void;
}

/** What an exporter keeps in its folder. */
const OWN = /^(segments|checkpoints|dead-letters\.ndjson.*|lock.*)$/;

/** Opens the folder (`segments/`, `checkpoints/`, `dead-letters.ndjson`). Rejects when it cannot be used at all. */
export async function openStorage({ directory, cap, keep, now, onProblem, onForgotten }: StorageOptions): Promise<Storage> {
  if (directory === undefined) {
    return {
      spool: new MemorySpool({ ...(cap && { cap }) }),
      deadLetters: deadLettersInLog(onProblem),
      watchCheckpoint: () => new WatchCheckpoint(),
      sourceCheckpoint: () => checkpointInMemory(),
      alive: undefined,
      saveAlive: async () => {},
    };
  }
  privateDirectoryOf(directory, OWN);
  const checkpoint = (name: string) => new CheckpointFile(join(directory, 'checkpoints', `${name}.json`), onProblem);
  const alive = checkpoint('exporter');
  return {
    spool: await DiskSpool.open({ directory: join(directory, 'segments'), ...(cap && { cap }), keep, onProblem, onForgotten }),
    deadLetters: new DeadLetterFile({ path: join(directory, 'dead-letters.ndjson'), now, onProblem }),
    watchCheckpoint: (group, resource) => new WatchCheckpoint(checkpoint(`watch-${resource}.${group || 'core'}`)),
    sourceCheckpoint: (name) => checkpoint(`source-${name}`),
    alive: aliveSchema.safeParse(alive.read()).data,
    saveAlive: (value) => alive.write(value),
  };
}

/** The log of a spool as the reducer takes it. */
export async function* logOf(spool: Spool) {
  for await (const entry of spool.restore()) {
    if (entry.kind === 'fact') yield { fact: entry.fact };
    else yield { counted: entry.entry as Counted };
  }
}
