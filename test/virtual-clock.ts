import type { Clock } from '../shared/clock.ts';
import type { SqliteSchedule } from '../shared/schedule/sqlite.ts';

/** A clock that only a test moves. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #timers = new Set<{ at: number; action: () => void }>();

  constructor(start: number) {
    this.#now = start;
  }

  now = (): number => this.#now;

  at(at: number, action: () => void): () => void {
    const timer = { at, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves to `to` (never back) and calls what came due on the way, in order. */
  advanceTo(to: number): void {
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= to).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
    }
    this.#now = Math.max(this.#now, to);
  }
}

/** A clock that is wrong by `offset` milliseconds; timers run by the right one, as they do on a machine. */
export const wrongClock = (clock: VirtualClock, offset: () => number): Clock => ({
  now: () => clock.now() + offset(),
  at: (at, action) => clock.at(at - offset(), action),
});

/** Lets time pass until `until`: each appointment is delivered at its second, so hours take milliseconds. Throws when it never comes to rest. */
export async function runUntil(clock: VirtualClock, schedules: SqliteSchedule[], until: number): Promise<void> {
  for (let deliveries = 0; deliveries < 5_000; deliveries += 1) {
    const next = Math.min(...schedules.map((schedule) => schedule.nextAt() ?? Number.POSITIVE_INFINITY));
    if (next > until) return clock.advanceTo(until);
    clock.advanceTo(next);
    for (const schedule of schedules) await schedule.deliver();
  }
  throw new Error('5000 deliveries and still something is due: an appointment is never done');
}
