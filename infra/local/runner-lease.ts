import type { MayAct } from '../../shared/acting.ts';
import type { State } from '../../shared/state/state.ts';

/** Names the lease of the one process that acts on a state directory. */
export const RUNNER = 'runner';

/** Another kubemend runs on this state directory. */
export class AlreadyRunningError extends Error {
  override name = 'AlreadyRunningError';
}

export interface RunnerLeaseOptions {
  state: Pick<State, 'lease' | 'release'>;
  /** The state directory, for people. */
  directory: string;
  /** Which file the path of the state database names now; undefined: none. Throws when that cannot be read. */
  identity(): string | undefined;
  /** Differs from that of every other process: whatever it stores is stored under the condition that it still holds the lease. */
  owner: string;
  /** Milliseconds. */
  leaseFor: number;
  /** The time that all processes share, milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that nobody sets. */
  monotonic(): number;
  onProblem(message: string): void;
  /** It may act again, after it could not. */
  onResumed?(): void;
}

/**
 * The lease of the process that acts. It may act only while it knows that it holds the lease: a stopped process learns from its clocks that time passed,
 * and the path of the database has to name the file that was opened.
 */
export class RunnerLease {
  readonly #options: RunnerLeaseOptions;
  readonly #lost = Promise.withResolvers<string>();
  #timer: NodeJS.Timeout | undefined;
  /** By both clocks: a monotonic one stands still while a laptop sleeps, and the other one can be set back. */
  #until = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  #lostTo: string | undefined;
  /** The database that the lease is in. Another process can take a lease of its own in another file at the same path. */
  readonly #identity: string | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: RunnerLeaseOptions) {
    this.#options = options;
    this.#identity = options.identity();
  }

  /** Resolves with one sentence when another process took over, or the database was removed or replaced: then this process has to end. */
  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /** Takes the lease and keeps it until `release`. Throws AlreadyRunningError, and what the state throws. */
  async take(): Promise<void> {
    const { directory, leaseFor } = this.#options;
    if (!(await this.#ask()))
      throw new AlreadyRunningError(`Another kubemend runs on ${directory} (or died less than ${leaseFor / 1_000} s ago)`);
    this.#timer = setInterval(() => this.renew(), leaseFor / 3);
  }

  /** Asks for more time; never rejects. */
  renew(): Promise<void> {
    this.#renewing = this.#renewing.then(() => this.#renew());
    return this.#renewing;
  }

  readonly mayAct: MayAct = () => {
    const { now, monotonic, directory } = this.#options;
    const obstacle = this.#obstacle();
    if (obstacle !== undefined) return obstacle;
    if (monotonic() < this.#until.monotonic && now() < this.#until.wall) return undefined;
    return `the lease of the state directory ${directory} ended and is not renewed yet: nothing is done meanwhile`;
  };

  /** Gives the lease back, if it is still ours. */
  async release(): Promise<void> {
    this.abandon();
    await this.#renewing;
    if (this.#lostTo !== undefined) return;
    await this.#options.state.release(RUNNER, this.#options.owner);
  }

  /** Keeps it no longer, and leaves it to run out. */
  abandon(): void {
    clearInterval(this.#timer);
    this.#until = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  }

  async #renew(): Promise<void> {
    const { directory, onProblem, onResumed } = this.#options;
    if (this.#lostTo !== undefined) return;
    const wasHeld = this.mayAct() !== undefined;
    if (this.#lostTo !== undefined) return;
    try {
      if (await this.#ask()) {
        if (wasHeld) onResumed?.();
        return;
      }
    } catch (error) {
      onProblem(`The state directory ${directory} cannot be written, so kubemend stops acting until it can: ${(error as Error).message}`);
      return;
    }
    this.#lose(`Another kubemend took over ${directory} while this one was stopped or could not renew its lease`);
  }

  /** Why nothing may be done whatever the clocks say: the lease is lost, or the database cannot be checked. */
  #obstacle(): string | undefined {
    const { directory, identity } = this.#options;
    if (this.#lostTo !== undefined) return this.#lostTo;
    try {
      if (identity() === this.#identity) return undefined;
    } catch (error) {
      return `the state directory ${directory} cannot be checked: ${(error as Error).message}`;
    }
    return this.#lose(`The state database in ${directory} was removed or replaced while this kubemend ran`);
  }

  #lose(sentence: string): string {
    this.#lostTo = sentence;
    this.abandon();
    this.#lost.resolve(sentence);
    return sentence;
  }

  async #ask(): Promise<boolean> {
    const { state, owner, leaseFor, now, monotonic } = this.#options;
    // Before it is asked: the answer may come late.
    const asked = { monotonic: monotonic(), wall: now() };
    const held = await state.lease(RUNNER, owner, asked.wall + leaseFor, asked.wall);
    if (held) this.#until = { monotonic: asked.monotonic + leaseFor, wall: asked.wall + leaseFor };
    return held;
  }
}
