import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Incident } from '../shared/incident.ts';
import type { DynamoState } from '../shared/state/dynamodb.ts';
import { TABLE_SCHEMA } from '../shared/state/dynamodb-table.ts';
import { clientOptions, type Moto, startMoto } from './aws/moto.ts';
import { dynamoClient, stateOn } from './aws/state-table.ts';

const ROOT = join(import.meta.dirname, '..');
const NAME = 'strimzi/upgrade-stale-crds';
const TABLE = ['--aws-table', 'kubemend-prod', '--region', 'eu-west-1'];
let moto: Moto;
let dynamo: DynamoDBClient;
let sqs: SQSClient;
let queue: string;
let state: DynamoState;
let incident: Incident;

beforeAll(async () => {
  moto = await startMoto();
  dynamo = dynamoClient(moto.endpoint);
  sqs = new SQSClient(clientOptions(moto.endpoint));
  await dynamo.send(new CreateTableCommand({ TableName: 'kubemend-prod', ...TABLE_SCHEMA }));
  queue = (await sqs.send(new CreateQueueCommand({ QueueName: 'kubemend-prod-appointments' }))).QueueUrl ?? '';
  state = stateOn(dynamo, 'kubemend-prod');
  incident = JSON.parse(await readFile(join(ROOT, 'test/fixtures/awaiting-approval.json'), 'utf8')) as Incident;
  const later = { ...incident, plan: incident.plan && { ...incident.plan, expiresAt: Date.now() + 3_600_000 } };
  await state.save(later, 0);
}, 180_000);

afterAll(async () => {
  dynamo.destroy();
  sqs.destroy();
  await moto.stop();
});

function kubemend(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const aws = { AWS_ENDPOINT_URL: moto.endpoint, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
  const env = { ...process.env, ...aws, NODE_OPTIONS: '', KUBEMEND_STATE: '/nonexistent', USER: 'ada', KUBECONFIG: '/nonexistent' };
  const child = spawn(process.execPath, [join(ROOT, 'bin/kubemend.ts'), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

describe('the verbs with --aws-table', () => {
  it.each([
    ['incidents', [], (): string => incident.id],
    ['explain', ['ID'], () => 'which the live CRD drops'],
    ['stats', [], () => NAME],
  ])('%s reads the table', async (verb, positionals, contains) => {
    const { code, out, err } = await kubemend(verb, ...positionals.map(() => incident.id), ...TABLE);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(contains());
  });

  it('mode, pause and resume set what the functions read', async () => {
    expect(await kubemend('mode', NAME, 'approve', ...TABLE)).toMatchObject({ code: 0 });
    expect(await kubemend('pause', ...TABLE)).toMatchObject({ code: 0 });
    expect(await state.settings()).toEqual({ [`mode/${NAME}`]: 'approve', paused: expect.stringMatching(/^ada since 2/) });
    expect(await kubemend('resume', ...TABLE)).toMatchObject({ code: 0 });
    expect(await state.settings()).toEqual({ [`mode/${NAME}`]: 'approve' });
  });

  it('a word is recorded in the table, and wakes the functions through the queue beside it', async () => {
    const { code, out, err } = await kubemend('reject', incident.id, '--because', 'not today', '--json', ...TABLE);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ taken: true, runs: true });
    expect(await state.load(incident.id)).toMatchObject({ state: 'refused', because: expect.stringContaining('not today') });
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue }));
    expect(Messages.map(({ Body = '' }) => JSON.parse(Body))).toEqual([expect.objectContaining({ incident: incident.id, token: 'wake' })]);
  });

  it.each([
    [
      'a table that is not there',
      ['--aws-table', 'other', '--region', 'eu-west-1'],
      /^The state table other could not list.*Are the table, the region and the credentials right\?/,
    ],
    ['both places', [...TABLE, '--state', '/nonexistent'], /--state or --aws-table, not both/],
    ['a region alone', ['--region', 'eu-west-1'], /give --aws-table too/],
  ])('%s is a sentence, not a defect', async (_, args, sentence) => {
    const { code, err } = await kubemend('incidents', ...args);
    expect([code, err]).toEqual([2, expect.stringMatching(sentence)]);
  });
});
