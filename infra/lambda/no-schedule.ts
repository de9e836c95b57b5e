import type { Appointment, Schedule } from '../../shared/schedule/schedule.ts';

/** Stands where the durable schedule will be: it keeps no appointment, and says which ones it could not keep. */
export class NoSchedule implements Schedule {
  /** When somebody should have looked again, milliseconds since the epoch. */
  lookAt: number | undefined;
  /** The outbox was not emptied: an outcome was not told. */
  unfinished = false;

  async put({ token, at }: Appointment): Promise<void> {
    if (token === 'wake') this.unfinished = true;
    else this.lookAt = at;
  }
}
