import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { remediationNames } from '../../infra/remediations.ts';
import { DynamoState, type DynamoStateOptions } from '../../shared/state/dynamodb.ts';
import { TABLE_SCHEMA } from '../../shared/state/dynamodb-table.ts';
import { clientOptions } from './moto.ts';

let made = 0;

/** A client of a DynamoDB endpoint that gives up at once. */
export const dynamoClient = (endpoint: string, requestHandler: object = {}): DynamoDBClient =>
  new DynamoDBClient({ ...clientOptions(endpoint), maxAttempts: 1, requestHandler });

/** Makes a new and empty state table as the deployment does, and answers its name. */
export async function createStateTable(client: DynamoDBClient): Promise<string> {
  made += 1;
  const TableName = `kubemend-${process.pid}-${made}`;
  await client.send(new CreateTableCommand({ TableName, ...TABLE_SCHEMA }));
  return TableName;
}

/** A state on a table, as one process has it: that of a function with `own`, and a person's without. A record that cannot be read fails the test. */
export function stateOn(client: Pick<DynamoDBClient, 'send'>, table: string, over: Partial<DynamoStateOptions> = {}): DynamoState {
  const onProblem = (message: string): never => {
    throw new Error(message);
  };
  const options = {
    client,
    table,
    wait: async () => undefined,
    nonce: () => crypto.randomUUID(),
    remediations: remediationNames(),
    onProblem,
  };
  return new DynamoState({ ...options, ...over });
}
