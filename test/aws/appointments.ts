import {
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  SchedulerClient,
  type SchedulerClientConfig,
} from '@aws-sdk/client-scheduler';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { AwsSchedule } from '../../shared/schedule/aws.ts';
import type { BatchAnswer, QueueBatch } from '../../shared/schedule/queue-batch.ts';
import { clientOptions } from './moto.ts';

let made = 0;

/** A queue and a schedule group on moto, with what AWS does between them and a function: the hops that moto leaves out. */
export interface Appointments {
  sqs: SQSClient;
  scheduler: SchedulerClient;
  /** URL of the queue, the name of the group, and the queue's ARN. */
  queue: string;
  group: string;
  queueArn: string;
  /** A schedule on them, over clients of its own. */
  schedule(now: () => number, options?: SQSClientConfig & SchedulerClientConfig): { schedule: AwsSchedule; close(): void };
  /** What stands in the group, and when it is due, in milliseconds since 1970. */
  schedules(): Promise<{ at: number }[]>;
  /** EventBridge Scheduler: what is due by `now` goes into its queue, and is deleted. */
  runScheduler(now: number): Promise<void>;
  /** Lambda's event source mapping: hands over what can be received until nothing can, and deletes what did not fail. */
  runQueue(handler: (batch: QueueBatch) => Promise<BatchAnswer>): Promise<void>;
  close(): void;
}

/** Makes a new queue (a message comes again after `visibility` seconds) and a new group. */
export async function makeAppointments(endpoint: string, visibility = 30): Promise<Appointments> {
  made += 1;
  const { sqs, scheduler, close } = clientsOf({ ...clientOptions(endpoint), maxAttempts: 1 });
  const name = `appointments-${made}`;
  const { QueueUrl: queue = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: `${visibility}` } }),
  );
  await scheduler.send(new CreateScheduleGroupCommand({ Name: name }));
  const queueArn = `arn:aws:sqs:eu-west-1:123456789012:${name}`;

  const schedules = async () => {
    const { Schedules = [] } = await scheduler.send(new ListSchedulesCommand({ GroupName: name }));
    return Promise.all(
      Schedules.map(async ({ Name }) => {
        const {
          ScheduleExpression = '',
          Target,
          ActionAfterCompletion,
        } = await scheduler.send(new GetScheduleCommand({ GroupName: name, Name }));
        return { Name, at: Date.parse(`${ScheduleExpression.slice(3, -1)}Z`), Target, ActionAfterCompletion };
      }),
    );
  };
  return {
    ...{ sqs, scheduler, queue, group: name, queueArn, schedules },
    schedule(now, options = {}) {
      const own = clientsOf({ ...clientOptions(endpoint), maxAttempts: 1, ...options });
      const roleArn = 'arn:aws:iam::123456789012:role/scheduler';
      return {
        schedule: new AwsSchedule({
          sqs: { client: own.sqs, queue, now },
          scheduler: { client: own.scheduler, group: name, queueArn, deadLetterArn: `${queueArn}-dead`, roleArn },
        }),
        close: own.close,
      };
    },
    async runScheduler(now) {
      for (const { Name, at, Target, ActionAfterCompletion } of await schedules()) {
        if (at > now) continue;
        if (Target?.Arn !== queueArn || ActionAfterCompletion !== 'DELETE') throw new Error(`The schedule ${Name} is not as it must be`);
        await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: Target.Input }));
        await scheduler.send(new DeleteScheduleCommand({ GroupName: name, Name }));
      }
    },
    async runQueue(handler) {
      for (;;) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return;
        const Records = Messages.map(({ MessageId = '', Body = '' }) => ({ messageId: MessageId, body: Body }));
        const { batchItemFailures } = await handler({ Records });
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        for (const { MessageId = '', ReceiptHandle } of Messages)
          if (!failed.has(MessageId)) await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }));
      }
    },
    close,
  };
}

function clientsOf(options: SQSClientConfig & SchedulerClientConfig) {
  const [sqs, scheduler] = [new SQSClient(options), new SchedulerClient(options)];
  return {
    ...{ sqs, scheduler },
    close() {
      sqs.destroy();
      scheduler.destroy();
    },
  };
}
