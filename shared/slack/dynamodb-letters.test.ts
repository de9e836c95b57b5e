import { randomUUID } from 'node:crypto';
import { DeleteItemCommand, type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Moto, startMoto } from '../../test/aws/moto.ts';
import { createStateTable, dynamoClient } from '../../test/aws/state-table.ts';
import { DynamoLetters } from './dynamodb-letters.ts';
import type { BurstLetter } from './letter.ts';
import { lettersContract } from './letters-contract.ts';

let moto: Moto;
let client: DynamoDBClient;
beforeAll(async () => {
  moto = await startMoto();
  client = dynamoClient(moto.endpoint);
}, 180_000);
afterAll(async () => {
  client.destroy();
  await moto.stop();
});

const NOW = 1_000_000;
type Send = Pick<DynamoDBClient, 'send'>;
const lettersOn = (table: string, over: Send = client) => new DynamoLetters({ client: over, table, now: () => NOW, nonce: randomUUID });

lettersContract('DynamoLetters on moto, two clients on one table,', async () => {
  const other = dynamoClient(moto.endpoint);
  const table = await createStateTable(client);
  return { one: lettersOn(table), two: lettersOn(table, other), close: async () => other.destroy() };
});

describe('DynamoLetters', () => {
  const letter = (version: number, pendingSince?: number): BurstLetter => ({
    ...{ kind: 'burst', key: 'k', version, pendingSince, refusals: 0, lost: 0, opened: [] },
  });
  const marks = async (table: string) => {
    const ExpressionAttributeValues = { ':pk': { S: 'slack#pending' } };
    const query = new QueryCommand({ TableName: table, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues });
    return (await client.send(query)).Items?.map(({ sk }) => sk?.S);
  };
  /** A process that dies before its n-th write. */
  const dying = (n: number): Send => {
    let writes = 0;
    const send = async (command: never) => {
      if (!((command as object) instanceof GetItemCommand) && ++writes >= n) throw new Error('killed');
      return client.send(command);
    };
    return { send } as never;
  };

  it('knows its own write again when the answer was lost', async () => {
    const send = async (command: never) => {
      const first = await client.send(command);
      const isLetter = (command as object) instanceof PutItemCommand;
      return isLetter ? client.send(command) : first;
    };
    const letters = lettersOn(await createStateTable(client), { send } as never);
    expect(await letters.save(letter(1, 5))).toBe(true);
    expect(await letters.save(letter(2))).toBe(true);
    expect(await letters.save(letter(2))).toBe(false);
  });

  it('lists a letter also when the one who stored it died at any moment, and cleans up what he left', async () => {
    const table = await createStateTable(client);
    await expect(lettersOn(table, dying(2)).save(letter(1, 5))).rejects.toThrow('killed');
    const letters = lettersOn(table);
    expect([await letters.pending(9), await marks(table)]).toEqual([[], ['k']]);
    expect(await letters.save(letter(1, 5))).toBe(true);
    expect(await letters.pending(9)).toHaveLength(1);
    await expect(lettersOn(table, dying(2)).save(letter(2))).rejects.toThrow('killed');
    expect([await letters.pending(9), await marks(table)]).toEqual([[], []]);
    // Somebody marks the next version and is slow: who cleans up meanwhile leaves his mark.
    await expect(lettersOn(table, dying(2)).save(letter(3, 7))).rejects.toThrow('killed');
    expect([await letters.pending(9), await marks(table)]).toEqual([[], ['k']]);
  });

  it('keeps the mark of the next version when the one who told the last is slow to remove his', async () => {
    const table = await createStateTable(client);
    const letters = lettersOn(table);
    await letters.save(letter(1, 5));
    const send = async (command: never) => {
      if ((command as object) instanceof DeleteItemCommand) await letters.save(letter(3, 7));
      return client.send(command);
    };
    expect(await lettersOn(table, { send } as never).save(letter(2))).toBe(true);
    expect(await letters.pending(9)).toMatchObject([{ version: 3 }]);
  });

  it('lets what is told expire, never what is still to be told', async () => {
    const table = await createStateTable(client);
    const letters = lettersOn(table);
    const expiry = async () => {
      const Key = { pk: { S: 'slack#letters' }, sk: { S: 'k' } };
      return (await client.send(new GetItemCommand({ TableName: table, Key }))).Item?.expires?.N;
    };
    await letters.save(letter(1, 5));
    expect(await expiry()).toBeUndefined();
    await letters.save(letter(2));
    expect(await expiry()).toBe(`${1_000 + 180 * 86_400}`);
  });

  it('remembers beside the settings of people, not among them', async () => {
    const table = await createStateTable(client);
    await lettersOn(table).set('slack/since', '1');
    expect(await lettersOn(table).setting('slack/since')).toBe('1');
    const Key = { pk: { S: 'settings' }, sk: { S: 'slack/since' } };
    expect((await client.send(new GetItemCommand({ TableName: table, Key }))).Item).toBeUndefined();
    await lettersOn(table).set('slack/since', undefined);
    expect(await lettersOn(table).setting('slack/since')).toBeUndefined();
  });

  it('throws when the table is not there, so that it is kept in the queue of Lambda', async () => {
    await expect(lettersOn('no-such-table').save(letter(1, 1))).rejects.toThrow(/no-such-table/);
  });
});
