import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Appointment, Schedule } from './schedule.ts';

/** SQS delays a message this long at most, milliseconds. */
export const LONGEST_DELAY = 900_000;

export interface SqsOptions {
  client: Pick<SQSClient, 'send'>;
  /** URL of a standard queue. */
  queue: string;
  now(): number;
}

/** Appointments as delayed messages, to the second and never early; what is further away than 15 minutes comes at 15 minutes, and has to be put again. */
export class SqsSchedule implements Schedule {
  readonly #options: SqsOptions;

  constructor(options: SqsOptions) {
    this.#options = options;
  }

  async put({ incident, token, at, set }: Appointment): Promise<void> {
    const { client, queue, now } = this.#options;
    const wait = Math.min(LONGEST_DELAY, Math.max(0, at - now()));
    const message = { QueueUrl: queue, MessageBody: JSON.stringify({ incident, token, at, set }), DelaySeconds: Math.ceil(wait / 1_000) };
    try {
      await client.send(new SendMessageCommand(message));
    } catch (error) {
      throw new ScheduleError(incident, queue, error as Error);
    }
  }
}

/** An appointment could not be made; what asked for it stays undone and is tried again. */
export class ScheduleError extends Error {
  override name = 'ScheduleError';

  constructor(incident: string, where: string, cause: Error) {
    super(`The next look at incident ${incident} could not be put into ${where}: ${cause.name}: ${cause.message}`, { cause });
  }
}
