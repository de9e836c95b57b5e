import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { remediationNames } from '../infra/remediations.ts';
import { SqsSchedule } from '../shared/schedule/sqs.ts';
import { DynamoState } from '../shared/state/dynamodb.ts';
import type { Store } from './store.ts';

/** How the queue beside a table is called (infra/appointments.cjs). */
const queueOf = (table: string): string => `${table}-appointments`;

/** The store of an installation in AWS, with the credentials and, unless it is given, the region that the AWS CLI would use. */
export function awsStore(table: string, onProblem: (message: string) => void, region?: string): Store {
  const options = { ...(region !== undefined && { region }) };
  const [dynamo, sqs] = [new DynamoDBClient(options), new SQSClient(options)];
  return {
    state: new DynamoState({ client: dynamo, table, wait: delay, nonce: randomUUID, remediations: remediationNames(), onProblem }),
    schedule: {
      // Only an answer wakes somebody, so reading needs no right on the queue.
      async put(appointment) {
        const { QueueUrl: queue = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName: queueOf(table) }));
        await new SqsSchedule({ client: sqs, queue, now: Date.now }).put(appointment);
      },
    },
    // Its functions wait for events.
    runs: async () => true,
    place: `the table ${table}`,
  };
}
