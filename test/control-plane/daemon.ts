import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** One started program: its output goes to a file, and it does not keep our process alive. */
export class Daemon {
  readonly name: string;
  readonly log: string;
  readonly #child: ChildProcess;
  #failure: Error | undefined;

  /** Starts the program in a process group of its own: Ctrl-C must not reach etcd before the API server. */
  constructor(name: string, program: string, args: string[], directory: string, log: string) {
    const file = openSync(log, 'w');
    this.name = name;
    this.log = log;
    this.#child = spawn(program, args, { cwd: directory, detached: true, stdio: ['ignore', file, file] });
    this.#child.on('error', (error) => {
      this.#failure = error;
    });
    this.#child.unref();
    closeSync(file);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): boolean {
    return this.#failure !== undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The end of its log, for error messages. */
  tail(lines = 15): string {
    if (this.#failure) return this.#failure.message;
    return readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** SIGTERM, and SIGKILL when it is still there after `patience` ms. Resolves when the process is gone. */
  async stop(patience = 10_000): Promise<void> {
    if (this.ended) return;
    this.#child.ref();
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patience);
    await gone;
    clearTimeout(timer);
  }
}
