import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { AnswerAdapters } from '../../functions/kubemend/answer-slack/index.ts';
import type { RemediationCard } from '../../shared/remediation.ts';
import { SqsSchedule } from '../../shared/schedule/sqs.ts';
import { cached } from '../../shared/secrets/cached.ts';
import { SecretsManagerSecrets } from '../../shared/secrets/secrets-manager.ts';
import { DynamoState } from '../../shared/state/dynamodb.ts';
import { CLIENT } from './aws-clients.ts';
import { readAnswerEnvironment } from './environment.ts';

/** What the deployed Function URL works with: no cluster, no bus, no bot token. A word is stored, and its wake-up is in the queue of appointments. */
export function answerAdapters(cards: RemediationCard[]): AnswerAdapters {
  const { table, queue, signingSecret, approvers } = readAnswerEnvironment();
  const now = Date.now;
  const secrets = cached(new SecretsManagerSecrets({ client: new SecretsManagerClient(CLIENT) }), now);
  return {
    ...{ approvers, now, remediations: cards, requestId: randomUUID },
    state: new DynamoState({ client: new DynamoDBClient(CLIENT), table, wait: delay, nonce: randomUUID }),
    schedule: new SqsSchedule({ client: new SQSClient(CLIENT), queue, now }),
    signingSecret: () => secrets.get(signingSecret),
    wait: (ms) => delay(ms, undefined, { ref: false }),
    onProblem: (message) => console.log(JSON.stringify({ level: 'error', message, function: 'kubemend/answer-slack' })),
  };
}
