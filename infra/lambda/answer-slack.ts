import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { AnswerAdapters } from '../../functions/kubemend/answer-slack/index.ts';
import type { RemediationCard } from '../../shared/remediation.ts';
import { SqsSchedule } from '../../shared/schedule/sqs.ts';
import { CLIENT } from './aws-clients.ts';
import { readAnswerEnvironment } from './environment.ts';
import { toConsole } from './log.ts';
import { ownSecrets } from './own-secrets.ts';
import { stateTable } from './state-table.ts';

/** What the deployed Function URL works with: no cluster, no bus, no bot token. A word is stored, and its wake-up is in the queue of appointments. */
export function answerAdapters(cards: RemediationCard[]): AnswerAdapters {
  const { table, queue, signingSecret, approvers } = readAnswerEnvironment();
  const now = Date.now;
  const secrets = ownSecrets(now);
  return {
    ...{ approvers, now, remediations: cards, requestId: randomUUID },
    state: stateTable({ table, remediations: cards.map(({ name }) => name) }),
    schedule: new SqsSchedule({ client: new SQSClient(CLIENT), queue, now }),
    signingSecret: () => secrets.get(signingSecret),
    wait: (ms) => delay(ms, undefined, { ref: false }),
    onProblem: (message) => toConsole({ level: 'error', message, function: 'kubemend/answer-slack' }),
  };
}
