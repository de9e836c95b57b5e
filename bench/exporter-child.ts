import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundled, NODE_FLAGS } from './bundled.ts';
import type { Setup, Told } from './exporter-process.ts';

/** A running exporter, seen from outside. */
export interface ExporterChild {
  /** What it told last, once a second. */
  told(): Told;
  /** Resident memory at each telling, in MiB. */
  memory: number[];
  /** Resolves when `holds`; throws after a minute, with what was told. */
  until(holds: (told: Told) => boolean): Promise<Told>;
  stop(): void;
}

/** Starts one with an empty directory of its own. */
export async function startExporter(setup: Omit<Setup, 'directory'>): Promise<ExporterChild> {
  const directory = mkdtempSync(join(tmpdir(), 'kubemend-bench-'));
  const child: ChildProcess = fork(await bundled('exporter-process.ts', directory), [JSON.stringify({ ...setup, directory })], {
    execArgv: NODE_FLAGS,
  });
  const memory: number[] = [];
  let last: Told | undefined;
  child.on('message', (message) => {
    last = message as Told;
    memory.push(last.rssMiB);
  });
  const running: ExporterChild = {
    memory,
    told: () => last as Told,
    async until(holds) {
      for (let i = 0; i < 1_200; i += 1) {
        if (last && holds(last)) return last;
        if (child.exitCode !== null) throw new Error('The exporter ended by itself.');
        await delay(50);
      }
      throw new Error(`The exporter did not come to what was awaited: ${JSON.stringify(last)}`);
    },
    stop() {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await running.until(() => true);
  return running;
}

/** The mean of the first and of the last fifth, and the peak: flat is when they are near. */
export function flatness(memory: number[]): { early: number; late: number; peak: number } {
  const fifth = Math.max(1, Math.floor(memory.length / 5));
  const mean = (part: number[]) => Math.round(part.reduce((sum, one) => sum + one, 0) / Math.max(1, part.length));
  return { early: mean(memory.slice(0, fifth)), late: mean(memory.slice(-fifth)), peak: Math.round(Math.max(...memory)) };
}
