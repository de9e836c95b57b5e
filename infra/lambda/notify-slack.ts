import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { makeNotifySlack, type Notified, type NotifyAdapters } from '../../functions/kubemend/notify-slack/index.ts';
import type { RemediationCard } from '../../shared/remediation.ts';
import { slack } from '../../shared/slack/client.ts';
import { DynamoLetters } from '../../shared/slack/dynamodb-letters.ts';
import { CLIENT } from './aws-clients.ts';
import { readNotifyEnvironment } from './environment.ts';
import type { LambdaContext } from './handler.ts';
import { type Log, toConsole } from './log.ts';
import { ownSecrets } from './own-secrets.ts';
import { stateTable } from './state-table.ts';

const NAME = 'kubemend/notify-slack';

/** The Lambda entry: what happens to incidents, and every minute a tick. What it did not take is said in the log. */
export function makeNotifyHandler(open: () => NotifyAdapters & { log: Log }) {
  let log: Log = () => undefined;
  const notify = makeNotifySlack(() => {
    const adapters = open();
    log = adapters.log;
    return adapters;
  });
  return async (event: unknown, context: LambdaContext): Promise<Notified> => {
    const answer = await notify(event, context);
    if (!answer.taken) log({ level: 'error', message: answer.because, function: NAME });
    return answer;
  };
}

/** What the deployed function works with. Throws when its environment is not as it must be. */
export function notifyAdapters(cards: RemediationCard[]): NotifyAdapters & { log: Log } {
  const { table, channel, token, api } = readNotifyEnvironment();
  const now = Date.now;
  const log = toConsole;
  const client = new DynamoDBClient(CLIENT);
  const letters = new DynamoLetters({ ...{ client, table, now }, nonce: randomUUID });
  const state = stateTable({ table, client, remediations: cards.map(({ name }) => name) });
  const secrets = ownSecrets(now);
  return {
    ...{ letters, channel, now, log },
    slack: slack({ token: () => secrets.get(token), ...(api && { api }) }),
    state: {
      lease: (...asked) => state.lease(...asked),
      release: (...asked) => state.release(...asked),
      list: (filter) => state.list(filter),
      // What people set is not for a function to write.
      setting: (name) => letters.setting(name),
      set: (name, value) => letters.set(name, value),
    },
    about: (name) => cards.find((card) => card.name === name),
    owner: randomUUID(),
    wait: delay,
    onProblem: (message) => log({ level: 'error', message, function: NAME }),
  };
}
