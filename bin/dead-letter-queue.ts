import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { appointment } from '../shared/schedule/appointment.ts';
import { UsageError } from './verb.ts';

/** What came of a queue of dead letters; what is left stays in it. */
export interface Redriven {
  sent: number;
  left: { id: string; because: string }[];
}

/** Of infra/queues.cjs and infra/appointments.cjs: beside each queue stands the one of what was given up. */
const DEAD = '-dead';
/** While a message is at hand nobody else has it, seconds. */
const AT_HAND = 120;

/** What EventBridge could not hand over: the event itself; whom it was for stands beside it. */
const undelivered = z.looseObject({ 'detail-type': z.string(), detail: z.unknown() });
/** What a function failed at: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
const failed = z.looseObject({ requestContext: z.looseObject({ functionArn: z.string() }), requestPayload: z.unknown() });

/** Hands every message of an SQS queue of dead letters to whom it was for, once. Throws UsageError where there is no such queue. */
export async function redriveQueue(name: string, region?: string): Promise<Redriven> {
  if (!name.endsWith(DEAD)) throw new UsageError(`"${name}" is no queue of dead letters: its name ends in ${DEAD}`);
  const options = { ...(region !== undefined && { region }) };
  const [sqs, lambda] = [new SQSClient(options), new LambdaClient(options)];
  try {
    const QueueUrl = await urlOf(sqs, name);
    const left: Redriven['left'] = [];
    const seen = new Set<string>();
    let sent = 0;
    for (;;) {
      const request = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: AT_HAND, WaitTimeSeconds: 1 };
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ ...request, MessageAttributeNames: ['TARGET_ARN'] }));
      const fresh = Messages.filter(({ MessageId = '' }) => !seen.has(MessageId));
      if (fresh.length === 0) return { sent, left };
      for (const message of fresh) {
        const { MessageId: id = '', ReceiptHandle } = message;
        seen.add(id);
        try {
          await handOver(message, { sqs, lambda, name });
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
          sent += 1;
        } catch (error) {
          left.push({ id, because: (error as Error).message });
        }
      }
    }
  } finally {
    sqs.destroy();
    lambda.destroy();
  }
}

async function handOver(
  { Body = '', MessageAttributes = {} }: Message,
  to: { sqs: SQSClient; lambda: LambdaClient; name: string },
): Promise<void> {
  const content = parsed(Body);
  const look = appointment.safeParse(content);
  if (look.success) return putBack(to.sqs, to.name, Body);
  const failure = failed.safeParse(content);
  const delivery = undelivered.safeParse(content);
  if (!failure.success && !delivery.success) throw new Error('it is no event and no look of kubemend');
  const event = failure.success ? failure.data.requestPayload : delivery.data;
  const target = failure.success ? failure.data.requestContext.functionArn : MessageAttributes.TARGET_ARN?.StringValue;
  if (target === undefined) throw new Error('it does not say which function it was for');
  // Only handed over: what fails again is a dead letter again. A function's ARN may end in `:$LATEST`.
  const FunctionName = target.replace(/:\$LATEST$/, '');
  await to.lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: JSON.stringify(event) }));
}

async function putBack(sqs: SQSClient, name: string, body: string): Promise<void> {
  const QueueUrl = await urlOf(sqs, name.slice(0, -DEAD.length));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
}

async function urlOf(sqs: SQSClient, name: string): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName: name })).catch((error: Error) => {
    if (error.name !== 'QueueDoesNotExist' && error.name !== 'AWS.SimpleQueueService.NonExistentQueue') throw error;
    throw new UsageError(`There is no queue "${name}" here: is it another region or account?`);
  });
  return QueueUrl;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
