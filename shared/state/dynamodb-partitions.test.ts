import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Moto, startMoto } from '../../test/aws/moto.ts';
import { createStateTable, dynamoClient, stateOn } from '../../test/aws/state-table.ts';
import { incident } from './contract.ts';
import { OVERALL } from './scope.ts';
import type { State } from './state.ts';

// What one function writes into the table must not count, or speak, for another one.

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

const partition = (TableName: string, pk: string) => ({
  ...{ TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } } },
});
const put = (own: string, Item: PutItemCommandInput['Item']) => client.send(new PutItemCommand({ TableName: own, Item }));
const [MENDER, PAINTER] = ['example/mend', 'example/paint'];
const of = (own: string | undefined, name: string, send: Pick<DynamoDBClient, 'send'> = client) =>
  stateOn(send, name, { own, remediations: [MENDER, PAINTER] });

it('counts the budget of all remediations from what each has spent itself, and never lets two spend the last execution', async () => {
  const own = await createStateTable(client);
  const spend = (state: State, execution: string, limit = 2) => state.spend({ scope: OVERALL, execution, at: 1_000, since: 0, limit });
  expect(await spend(of(MENDER, own), 'm1')).toBe(true);
  expect(await spend(of(MENDER, own), 'm1')).toBe(true);
  // Another function records its execution between the first count of this one and its own record.
  let raced: boolean | undefined;
  const send = async (command: Parameters<DynamoDBClient['send']>[0]) => {
    if (command instanceof PutItemCommand && raced === undefined) {
      raced = false;
      raced = await spend(of(PAINTER, own), 'p1');
    }
    return client.send(command);
  };
  expect([await spend(of(MENDER, own, { send } as never), 'm2'), raced]).toEqual([false, true]);
  expect([await spend(of(PAINTER, own), 'p1'), await spend(of(MENDER, own), 'm1')]).toEqual([true, true]);
  expect(await spend(of(PAINTER, own), 'p2')).toBe(false);
  expect(await spend(of(PAINTER, own), 'p2', 3)).toBe(true);
});

it('grants no more executions than the shared budget has, whoever asks at once, and keeps no record of what it refused', async () => {
  const own = await createStateTable(client);
  const asked = Array.from({ length: 12 }, (_, n) => ({ by: n % 2 ? MENDER : PAINTER, execution: `e${n}` }));
  const granted = await Promise.all(
    asked.map(async ({ by, execution }) =>
      (await of(by, own).spend({ scope: OVERALL, execution, at: 1_000, since: 0, limit: 5 })) ? [execution] : [],
    ),
  );
  const items = await Promise.all([MENDER, PAINTER].map((one) => client.send(new QueryCommand(partition(own, `budget/${one}`)))));
  const recorded = items.flatMap(({ Items = [] }) => Items.flatMap(({ spent }) => Object.keys(JSON.parse(spent?.S ?? '{}'))));
  expect(recorded.sort()).toEqual(granted.flat().sort());
  expect(recorded.length).toBeLessThanOrEqual(5);
});

it('takes no failure from a remediation that another one may have recorded', async () => {
  const own = await createStateTable(client);
  const scope = `remediation/${PAINTER}/toy`;
  await of(PAINTER, own).tally(scope, 'a1');
  for (const forged of [scope, `object/${PAINTER}/toy/x`, OVERALL])
    await put(own, { pk: { S: `breaker/${MENDER}` }, sk: { S: `${forged}#a2` } });
  expect([await of(PAINTER, own).tallied(scope), await of(PAINTER, own).tallied(`object/${PAINTER}/toy/x`)]).toEqual([1, 0]);
  expect(await of(undefined, own).tallies()).toEqual({ [scope]: 1, [OVERALL]: 1 });
  await expect(async () => of(MENDER, own).tally(scope, 'a3')).rejects.toThrow(
    'example/mend does not count in remediation/example/paint/toy',
  );
  await expect(async () => of(undefined, own).tally(scope, 'a3')).rejects.toThrow('This process does not count in');
});

it('refuses a record that speaks for another remediation, and lists the others all the same', async () => {
  const own = await createStateTable(client);
  const state = of(undefined, own);
  const [good, other] = [
    incident({ key: 'example/mend/good', id: '0c0aaaaaaaaa' }),
    incident({ key: 'example/paint/x', id: '0c1aaaaaaaaa' }),
  ];
  await state.save(good, 0);
  await state.save({ ...other, remediation: PAINTER }, 0);
  const at = { pk: { S: 'incident/example/paint/x' }, sk: { S: '0000000001' } };
  const { Item } = await client.send(new GetItemCommand({ TableName: own, Key: at }));
  await client.send(new DeleteItemCommand({ TableName: own, Key: at }));
  // What a stolen role of example/mend can write: its own partitions.
  await put(own, { ...Item, pk: { S: 'incident/example/mend/x' } });
  await put(own, { pk: { S: 'id/example/mend' }, sk: { S: other.id }, key: { S: 'example/mend/x' }, ordinal: { N: '1' } });
  const problems: string[] = [];
  const reporting = stateOn(client, own, { remediations: [MENDER, PAINTER], onProblem: (problem) => problems.push(problem) });
  expect((await reporting.list()).map(({ id }) => id)).toEqual([good.id]);
  expect((await reporting.left({ touched: 99, due: 99 })).map(({ id }) => id)).toEqual([]);
  const claim = 'claims to be incident 0c1aaaaaaaaa of example/paint: find out who wrote it';
  expect(problems).toEqual([expect.stringContaining(claim)]);
  for (const read of [state.load(other.id), of(MENDER, own).load(other.id), state.latest('example/mend/x')])
    await expect(read).rejects.toThrow(claim);
  expect(await of(PAINTER, own).load(other.id)).toBeUndefined();
});

it('refuses a record of an older schema with a sentence, and a record whose key is not that of its remediation', async () => {
  const own = await createStateTable(client);
  const one = incident({ key: 'example/mend/old', id: '0d0aaaaaaaaa' });
  await of(MENDER, own).save(one, 0);
  const Key = { pk: { S: 'incident/example/mend/old' }, sk: { S: '0000000001' } };
  const { schema: _, ...old } = (await client.send(new GetItemCommand({ TableName: own, Key }))).Item ?? {};
  await put(own, old);
  await expect(of(MENDER, own).load(one.id)).rejects.toThrow('has schema 1, and this version reads schema 2 only: deploy to a new stage');
  await expect(of(MENDER, own).save(incident({ key: 'toy/example/mend/x' }), 0)).rejects.toThrow('does not begin with its remediation');
});
