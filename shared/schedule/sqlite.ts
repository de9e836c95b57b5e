import type { DatabaseSync } from 'node:sqlite';
import { MayNotActError } from '../acting.ts';
import type { Clock } from '../clock.ts';
import { MAX_CLOCK_SKEW_MS } from '../clock-step.ts';
import type { Appointment, Schedule } from './schedule.ts';

const RETRY = 5_000;

/** A schedule on `node:sqlite`. `start` delivers what is due, also what came due while nothing ran; an appointment is forgotten only when its handler succeeded. */
export class SqliteSchedule implements Schedule {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #onProblem: (message: string) => void;
  #handler: ((appointment: Appointment) => Promise<void>) | undefined;
  #cancel: () => void = () => undefined;
  #delivering: Promise<void> = Promise.resolve();

  constructor(database: DatabaseSync, clock: Clock, onProblem: (message: string) => void) {
    this.#database = database;
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  async put({ incident, token, at, set = this.#clock.now() }: Appointment): Promise<void> {
    // One look, and every wake-up that was asked for: none replaces another that somebody counts on.
    const kind = token === 'wake' ? `wake ${at}` : 'look';
    const row = [incident, kind, token === 'wake' ? 0 : token, at, set];
    // An older look that is put again (by a process that was away) does not displace a newer one.
    const sql = `INSERT INTO schedule (incident, kind, token, at, set_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (incident, kind) DO UPDATE SET token = excluded.token, at = excluded.at, set_at = excluded.set_at WHERE excluded.token >= token`;
    this.#database.prepare(sql).run(...row);
    this.#arm();
  }

  start(handler: (appointment: Appointment) => Promise<void>): void {
    this.#handler = handler;
    this.#arm();
  }

  /** Looks again at the table: another process may have written to it. */
  refresh(): void {
    this.#arm();
  }

  /** Stops delivering; resolves when the running delivery is over. */
  async stop(): Promise<void> {
    this.abandon();
    await this.#delivering;
  }

  /** Stops delivering without waiting for the delivery that runs. */
  abandon(): void {
    this.#handler = undefined;
    this.#cancel();
  }

  /** When the next appointment is due, milliseconds since the epoch. What was set in the future (by a clock that ran ahead) is due at once. */
  nextAt(): number | undefined {
    const now = this.#clock.now();
    const sql = 'SELECT min(CASE WHEN set_at > ? THEN min(at, ?) ELSE at END) AS at FROM schedule';
    return (this.#database.prepare(sql).get(now + MAX_CLOCK_SKEW_MS, now)?.at as number | null) ?? undefined;
  }

  #arm(): void {
    this.#cancel();
    if (!this.#handler) return;
    try {
      const at = this.nextAt();
      if (at !== undefined) this.#wakeAt(at);
    } catch (error) {
      this.#tryLater(error as Error);
    }
  }

  #wakeAt(at: number): void {
    this.#cancel();
    if (this.#handler) this.#cancel = this.#clock.at(at, () => void this.deliver());
  }

  /** The database does not answer, or this process may not act: what is due stays due. */
  #tryLater(error: Error): void {
    // Why a process may not act is said where it is found out.
    if (!(error instanceof MayNotActError))
      this.#onProblem(`The schedule cannot be used now, and is tried again in ${RETRY / 1_000} s: ${error.message}`);
    this.#wakeAt(this.#clock.now() + RETRY);
  }

  /** Delivers everything that is due now, one after the other. Never rejects. */
  deliver(): Promise<void> {
    this.#delivering = this.#delivering
      .then(() => this.#deliverDue())
      .then(
        () => this.#arm(),
        (error: Error) => this.#tryLater(error),
      );
    return this.#delivering;
  }

  async #deliverDue(): Promise<void> {
    for (;;) {
      const sql = 'SELECT incident, kind, token, at FROM schedule WHERE at <= ? OR set_at > ? ORDER BY at, incident LIMIT 1';
      const now = this.#clock.now();
      const row = this.#handler && this.#database.prepare(sql).get(now, now + MAX_CLOCK_SKEW_MS);
      if (!row || !this.#handler) return;
      const { incident, kind, token, at } = row as { incident: string; kind: string; token: number; at: number };
      try {
        await this.#handler({ incident, token: kind.startsWith('wake') ? 'wake' : token, at });
      } catch (error) {
        if (error instanceof MayNotActError) throw error;
        this.#onProblem(`A look at incident ${incident} failed and is tried again in ${RETRY / 1_000} s: ${(error as Error).message}`);
        const again = this.#database.prepare('UPDATE schedule SET at = ?, set_at = ? WHERE incident = ? AND kind = ?');
        again.run(this.#clock.now() + RETRY, this.#clock.now(), incident, kind);
        continue;
      }
      this.#database
        .prepare('DELETE FROM schedule WHERE incident = ? AND kind = ? AND token = ? AND at = ?')
        .run(incident, kind, token, at);
    }
  }
}
