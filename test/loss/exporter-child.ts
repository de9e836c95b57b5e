import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExporterStats } from '../../events/exporter/health/stats.ts';
import type { ExporterConfig, ExporterMessage } from './exporter-process.ts';

const PROGRAM = join(import.meta.dirname, 'exporter-process.ts');
/** As a StatefulSet would start it again, only sooner. Milliseconds. */
const AGAIN_AFTER = 300;

/** An exporter that is started again whenever its process ends, until `stop`. */
export class ExporterChild {
  readonly #config: ExporterConfig & { enter: string[] };
  #child: ChildProcess | undefined;
  #wanted = false;
  #loop: Promise<void> = Promise.resolve();
  ready = false;
  stats: ExporterStats | undefined;
  kills = 0;
  starts = 0;
  /** The newest ones. */
  problems: string[] = [];

  /** `enter`: what the program is started with. */
  constructor(config: ExporterConfig & { enter: string[] }) {
    this.#config = config;
  }

  start(): void {
    this.#wanted = true;
    this.#loop = this.#run();
  }

  /** kill -9; it starts again by itself. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child?.pid || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    this.kills++;
    this.ready = false;
  }

  /** kill -9, and stays dead until `start`. */
  async halt(): Promise<void> {
    this.#wanted = false;
    await this.kill();
    await this.#loop;
  }

  /** Ends it as a cluster does; resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.#wanted = false;
    const child = this.#child;
    child?.kill('SIGTERM');
    const timer = setTimeout(() => child?.kill('SIGKILL'), 20_000);
    await this.#loop;
    clearTimeout(timer);
    return child?.exitCode ?? null;
  }

  /** Throws, with the last problems, when it does not become ready. */
  async untilReady(within = 60_000): Promise<void> {
    for (const deadline = Date.now() + within; !this.ready; await delay(20)) {
      if (Date.now() > deadline) throw new Error(`The exporter is not ready after ${within / 1_000} s:\n${this.problems.join('\n')}`);
    }
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      this.starts++;
      const { enter, ...config } = this.#config;
      const [command = process.execPath, ...args] = [...enter, process.execPath, PROGRAM, JSON.stringify(config)];
      const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
      this.#child = child;
      child.stderr?.on('data', (text: Buffer) => this.#noted(text.toString('utf8').trim()));
      child.on('message', (message: ExporterMessage) => {
        if ('problem' in message) return this.#noted(message.problem);
        if (child.signalCode === null) this.ready = message.ready;
        this.stats = message.stats;
      });
      await once(child, 'exit');
      this.ready = false;
      if (this.#wanted) await delay(AGAIN_AFTER);
    }
  }

  #noted(problem: string): void {
    this.problems.push(problem);
    if (this.problems.length > 40) this.problems.shift();
  }
}
