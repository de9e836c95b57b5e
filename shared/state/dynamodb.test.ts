import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeleteItemCommand, type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import dynalite from 'dynalite';
import { type Moto, startMoto } from '../../test/aws/moto.ts';
import { createStateTable, dynamoClient, stateOn as stateOf } from '../../test/aws/state-table.ts';
import type { Incident } from '../incident.ts';
import { incident, type Stores, stateContract } from './contract.ts';

const MEND = { own: 'example/mend', remediations: ['example/mend'] };
const stateOn = (...[client, table, over]: Parameters<typeof stateOf>) => stateOf(client, table, { ...MEND, ...over });

let moto: Moto;
let second: Server;
beforeAll(async () => {
  moto = await startMoto();
  second = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => second.listen(0, '127.0.0.1', resolve));
}, 180_000);
afterAll(async () => {
  await moto.stop();
  await new Promise((resolve) => second.close(resolve));
});

async function stores(endpoint: string): Promise<Stores> {
  const [one, two] = [dynamoClient(endpoint), dynamoClient(endpoint)];
  const table = await createStateTable(one);
  return {
    one: stateOn(one, table),
    two: stateOn(two, table),
    close: async () => {
      one.destroy();
      two.destroy();
    },
  };
}

stateContract('DynamoState on moto, two clients on one table,', () => stores(moto.endpoint));
// Other people's reading of the same conditions.
stateContract('DynamoState on dynalite', () => stores(`http://127.0.0.1:${(second.address() as AddressInfo).port}`));

describe('DynamoState', () => {
  let client: DynamoDBClient;
  let table: string;
  beforeAll(async () => {
    client = dynamoClient(moto.endpoint);
    table = await createStateTable(client);
  });
  afterAll(() => client.destroy());

  const itemOf = async ({ key, ordinal }: Incident) => {
    const Key = { pk: { S: `incident/${key}` }, sk: { S: `${ordinal}`.padStart(10, '0') } };
    return (await client.send(new GetItemCommand({ TableName: table, Key }))).Item;
  };

  /** Sends the next write, then loses its answer and sends it again, as the client does after a timeout. */
  const forgetful = () => {
    const sent: string[] = [];
    const send = async (command: Parameters<DynamoDBClient['send']>[0]) => {
      const first = await client.send(command);
      if (!(command instanceof PutItemCommand)) return first;
      sent.push(command.input.Item?.pk?.S ?? '');
      return client.send(command);
    };
    return { state: stateOn({ send } as never, table), sent };
  };

  it('lists an incident once, and as it is now, when its work is done while it is listed', async () => {
    const own = await createStateTable(client);
    const kept = stateOn(client, own);
    const one = incident({
      key: 'example/mend/moving',
      id: '0a0aaaaaaaaa',
      effects: [{ kind: 'schedule', id: 1, at: 1, token: 1 }] as never,
    });
    await kept.save(one, 0);
    let moved = false;
    const send = async (command: Parameters<DynamoDBClient['send']>[0]) => {
      const answer = await client.send(command);
      const isFirst = command instanceof QueryCommand && JSON.stringify(command.input).includes('unfinished') && !moved;
      if (isFirst) moved = await kept.save({ ...one, effects: [], revision: one.revision + 1 }, one.revision);
      return answer;
    };
    const found = await stateOn({ send } as never, own).list();
    expect([moved, found.map(({ id, revision }) => [id, revision])]).toEqual([true, [[one.id, one.revision + 1]]]);
  });

  it('lists a record of an older version as before, and puts it where its look is found as soon as it changes', async () => {
    const own = await createStateTable(client);
    const kept = stateOn(client, own);
    const one = incident({ key: 'example/mend/older', id: '0b0aaaaaaaaa', state: 'planned', look: { at: 100, token: 1 } });
    const TableName = own;
    await kept.save(one, 0);
    const Key = { pk: { S: 'incident/example/mend/older' }, sk: { S: '0000000001' } };
    const { Item } = await client.send(new GetItemCommand({ TableName, Key }));
    expect(Item).toMatchObject({ shelf: { S: 'looking' }, updated: { N: '100' } });
    await client.send(new PutItemCommand({ TableName, Item: { ...Item, shelf: { S: 'rest' }, updated: { N: '1' } } }));
    const left = () => kept.left({ touched: 200, due: 200 });
    expect([await kept.list(), await left()]).toEqual([[one], []]);
    const next = { ...one, revision: 2 };
    expect(await kept.save(next, 1)).toBe(true);
    expect([await kept.list(), await left()]).toEqual([[next], [next]]);
  });

  it('knows its own write again when the answer was lost', async () => {
    const { state, sent } = forgetful();
    const one = incident({ key: 'example/mend/lost', id: '0001aaaaaaaa' });
    expect(await state.save(one, 0)).toBe(true);
    expect(await state.save({ ...one, revision: 2 }, 1)).toBe(true);
    expect(await state.save({ ...one, revision: 2, because: 'other' }, 1)).toBe(false);
    expect(await state.load(one.id)).toEqual({ ...one, revision: 2 });
    expect(await state.lease('lost', 'me', 1_000, 0)).toBe(true);
    expect(await state.spend({ scope: 'object/example/mend/lost', execution: 'e', at: 1, since: 0, limit: 1 })).toBe(true);
    expect(sent).toEqual([
      'id/example/mend',
      'incident/example/mend/lost',
      'incident/example/mend/lost',
      'lease/lost',
      'budget/example/mend',
    ]);
  });

  it('lets what has ended expire, and nothing else', async () => {
    const state = stateOn(client, table);
    const one = incident({ key: 'example/mend/ttl', id: '0002aaaaaaaa', updatedAt: 5_000 });
    await state.save(one, 0);
    const expiry = async (next: Partial<Incident>, expected: number) => {
      await state.save({ ...one, revision: expected + 1, ...next }, expected);
      return (await itemOf(one))?.expires?.N;
    };
    expect((await itemOf(one))?.expires).toBeUndefined();
    expect(
      await expiry({ state: 'verified', effects: [{ id: '1.0', kind: 'tell', state: 'verified', because: '', at: 1 }] }, 1),
    ).toBeUndefined();
    expect(await expiry({ state: 'verified' }, 2)).toBe(`${5 + 90 * 86_400}`);
    expect(await expiry({ state: 'planned' }, 3)).toBeUndefined();
  });

  it('opens the first incident of a key again when the old one has expired', async () => {
    const state = stateOn(client, table);
    const one = incident({ key: 'example/mend/again', id: '0003aaaaaaaa' });
    await state.save(one, 0);
    const { pk, sk } = (await itemOf(one)) ?? {};
    await client.send(new DeleteItemCommand({ TableName: table, Key: { pk: pk as never, sk: sk as never } }));
    expect(await state.load(one.id)).toBeUndefined();
    expect(await state.save({ ...one, because: 'new' }, 0)).toBe(true);
    expect((await state.load('0003'))?.because).toBe('new');
  });

  it('keeps a large record compressed, and says what to do about one that is too large', async () => {
    const state = stateOn(client, table);
    const entry = { at: 1, state: 'detected' as const, because: 'x'.repeat(1_000) };
    const large = incident({ key: 'example/mend/large', id: '0004aaaaaaaa', history: Array.from({ length: 2_000 }, () => entry) });
    expect(await state.save(large, 0)).toBe(true);
    expect(await state.load(large.id)).toEqual(large);
    const tooLarge = { ...large, revision: 2, because: randomBytes(400_000).toString('base64') };
    await expect(state.save(tooLarge, 1)).rejects.toThrow(/incident 0004aaaaaaaa has \d+ bytes .* Nothing is written from here on/);
    expect((await state.load(large.id))?.revision).toBe(1);
  });

  it('never lets an id name two incidents', async () => {
    const state = stateOn(client, table);
    await state.save(incident({ key: 'example/mend/first', id: '0005aaaaaaaa' }), 0);
    await expect(state.save(incident({ key: 'example/mend/second', id: '0005aaaaaaaa' }), 0)).rejects.toThrow(
      'names another incident than example/mend/second 1',
    );
    expect(await state.save(incident({ key: 'example/mend/first', id: '0006aaaaaaaa' }), 0)).toBe(false);
    expect([(await state.load('0005'))?.key, await state.load('0006')]).toEqual(['example/mend/first', undefined]);
  });

  it('throws when the table is not there, so that nothing is written anywhere', async () => {
    const gone = stateOn(client, 'no-such-table');
    const asked = [gone.setting('paused'), gone.latest('x'), gone.lease('x', 'a', 1, 0), gone.save(incident(), 0), gone.tallied('overall')];
    for (const answer of await Promise.allSettled(asked)) {
      const reason = expect.objectContaining({ name: 'TableError', message: expect.stringContaining('no-such-table') });
      expect(answer).toEqual({ status: 'rejected', reason });
    }
  });
});
