import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoState } from '../../shared/state/dynamodb.ts';
import { CLIENT } from './aws-clients.ts';

/** The state table of this name, as a function reaches it. */
export const stateTable = (table: string, client = new DynamoDBClient(CLIENT)): DynamoState =>
  new DynamoState({ client, table, wait: delay, nonce: randomUUID });
