import { ActionAfterCompletion, CreateScheduleCommand, type SchedulerClient } from '@aws-sdk/client-scheduler';
import type { Appointment, Schedule } from './schedule.ts';
import { ScheduleError } from './sqs.ts';

export interface SchedulerOptions {
  client: Pick<SchedulerClient, 'send'>;
  /** Schedule group. */
  group: string;
  /** ARN of the queue that the appointments go to, and of the one for those that could not. */
  queueArn: string;
  deadLetterArn: string;
  /** The role as which EventBridge Scheduler sends. */
  roleArn: string;
}

/** EventBridge Scheduler is good to the minute: it hands over this much too early, and the queue waits for the rest. */
export const EARLY = 120_000;

/** Appointments as one-time schedules that delete themselves. The name is incident and token, so putting one again makes no second. */
export class SchedulerSchedule implements Schedule {
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  async put({ incident, token, at, set }: Appointment): Promise<void> {
    const { client, group, queueArn, deadLetterArn, roleArn } = this.#options;
    const time = new Date(at - EARLY).toISOString().slice(0, 19);
    const command = new CreateScheduleCommand({
      // A wake-up has no number of its own: another time is another one.
      Name: token === 'wake' ? `${incident}-wake-${Math.floor(at / 1_000)}` : `${incident}-${token}`,
      GroupName: group,
      ScheduleExpression: `at(${time})`,
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: ActionAfterCompletion.DELETE,
      Target: {
        Arn: queueArn,
        RoleArn: roleArn,
        Input: JSON.stringify({ incident, token, at, set }),
        RetryPolicy: { MaximumEventAgeInSeconds: 3_600, MaximumRetryAttempts: 10 },
        DeadLetterConfig: { Arn: deadLetterArn },
      },
    });
    try {
      await client.send(command);
    } catch (error) {
      if ((error as Error).name !== 'ConflictException') throw new ScheduleError(incident, group, error as Error);
    }
  }
}
