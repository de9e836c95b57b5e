import type { Appointment, Schedule } from './schedule.ts';
import { type SchedulerOptions, SchedulerSchedule } from './scheduler.ts';
import { LONGEST_DELAY, type SqsOptions, SqsSchedule } from './sqs.ts';

/** The queue for what is due within 15 minutes, EventBridge Scheduler for what is later; both end in the same queue. Throws ScheduleError. */
export class AwsSchedule implements Schedule {
  readonly #soon: SqsSchedule;
  readonly #later: SchedulerSchedule;
  readonly #now: () => number;

  constructor({ sqs, scheduler }: { sqs: SqsOptions; scheduler: SchedulerOptions }) {
    this.#soon = new SqsSchedule(sqs);
    this.#later = new SchedulerSchedule(scheduler);
    this.#now = sqs.now;
  }

  put(appointment: Appointment): Promise<void> {
    const schedule = appointment.at - this.#now() <= LONGEST_DELAY ? this.#soon : this.#later;
    return schedule.put(appointment);
  }
}
