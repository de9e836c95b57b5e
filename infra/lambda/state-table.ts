import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoState, type DynamoStateOptions } from '../../shared/state/dynamodb.ts';
import { CLIENT } from './aws-clients.ts';
import { toConsole } from './log.ts';

interface Options extends Pick<DynamoStateOptions, 'table' | 'remediations' | 'own'> {
  client?: DynamoDBClient;
}

/** The state table as a function reaches it. What it cannot read there is said in the log. */
export const stateTable = ({ client = new DynamoDBClient(CLIENT), ...options }: Options): DynamoState =>
  new DynamoState({ ...options, client, wait: delay, nonce: randomUUID, onProblem: (message) => toConsole({ level: 'error', message }) });
