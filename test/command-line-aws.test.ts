import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, PurgeQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
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

const kubemend = (...args: string[]) => kubemendWith({}, ...args);

function kubemendWith(more: Record<string, string>, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const aws = { ...more, AWS_ENDPOINT_URL: moto.endpoint, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
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

it('crds add --aws-bucket pins a version that does not ship in the bucket, and cannot replace one that does', async () => {
  const s3 = new S3Client({ ...clientOptions(moto.endpoint), forcePathStyle: true });
  const Bucket = 'kubemend-prod-artifacts';
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  const add = (version: string) => {
    const from = ['--from', join(ROOT, 'artifacts/strimzi/0.43.0.yaml.gz')];
    return kubemend('crds', 'add', 'strimzi', version, ...from, '--aws-bucket', Bucket, '--region', 'eu-west-1', '--json');
  };
  const { code, out, err } = await add('0.45.2');
  expect([code, err]).toEqual([0, '']);
  const { sha256 } = JSON.parse(out) as { sha256: string };
  const refusal = 'strimzi/0.43.0 ships with kubemend and cannot be replaced';
  expect(await add('0.43.0')).toMatchObject({ code: 2, err: expect.stringContaining(refusal) });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  s3.destroy();
  expect(Contents.map(({ Key }) => Key)).toEqual(['documents/strimzi/0.45.2.json', `documents/strimzi/0.45.2/${sha256}.gz`]);
});

describe('redrive --queue', () => {
  /** Takes what Lambda's Invoke is sent; a function called `gone` is not there. */
  async function lambda() {
    const asked: unknown[] = [];
    const server = createServer(async (request, response) => {
      const name = decodeURIComponent(/functions\/([^/]+)\/invocations$/.exec(request.url ?? '')?.[1] ?? '');
      asked.push([name, request.headers['x-amz-invocation-type'], await json(request)]);
      if (name.endsWith('gone')) response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' });
      else response.writeHead(202);
      response.end(name.endsWith('gone') ? '{"Message":"no such function"}' : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { asked, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  const event = { source: 'kubernetes', 'detail-type': 'Writes Counted', detail: { id: 'f-1' } };
  const functionArn = (name: string) => `arn:aws:lambda:eu-west-1:123456789012:function:kubemend-prod-${name}`;

  it('hands each letter to the function it was for and a look to its queue; what nobody takes stays', async () => {
    const { asked, server, url } = await lambda();
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'kubemend-prod-appointments-dead' }));
    const put = (body: unknown, target?: string) =>
      sqs.send(
        new SendMessageCommand({
          ...{ QueueUrl, MessageBody: typeof body === 'string' ? body : JSON.stringify(body) },
          ...(target && { MessageAttributes: { TARGET_ARN: { DataType: 'String', StringValue: target } } }),
        }),
      );
    await put(event, functionArn('a'));
    await put({ requestContext: { functionArn: `${functionArn('b')}:$LATEST` }, requestPayload: { appointment: 1 }, responsePayload: {} });
    await put({ incident: incident.id, token: 7, at: 1 });
    await put(event, functionArn('gone'));
    await put(event);
    await put('no JSON');
    const { code, out, err } = await kubemendWith(
      { AWS_ENDPOINT_URL_LAMBDA: url },
      'redrive',
      '--queue',
      'kubemend-prod-appointments-dead',
      '--region',
      'eu-west-1',
      '--json',
    );
    server.close();
    const { sent, left } = JSON.parse(out) as { sent: number; left: { because: string }[] };
    expect([code, err, sent]).toEqual([1, '', 3]);
    expect(left.map(({ because }) => because).sort()).toEqual([
      'it does not say which function it was for',
      'it is no event and no look of kubemend',
      expect.stringContaining('no such function'),
    ]);
    expect(asked).toEqual(
      expect.arrayContaining([
        [functionArn('a'), 'Event', event],
        [functionArn('b'), 'Event', { appointment: 1 }],
      ]),
    );
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }));
    expect(Messages.map(({ Body }) => JSON.parse(Body ?? ''))).toContainEqual({ incident: incident.id, token: 7, at: 1 });
    await sqs.send(new PurgeQueueCommand({ QueueUrl: queue }));
  });

  it.each([
    ['a queue that is not there', ['--queue', 'kubemend-prod-x-dead'], 'There is no queue "kubemend-prod-x-dead" here'],
    ['a queue of no dead letters', ['--queue', 'kubemend-prod-appointments'], 'its name ends in -dead'],
    ['a file too', ['--queue', 'a-dead', '--file', 'x'], 'Give --queue or --file'],
    ['a region of nothing', ['--region', 'eu-west-1'], 'give --queue too'],
  ])('refuses %s', async (_, args, because) => {
    const region = args.includes('--region') ? [] : ['--region', 'eu-west-1'];
    const { code, err } = await kubemend('redrive', ...args, ...(args[0] === '--queue' ? region : []));
    expect([code, err]).toEqual([2, expect.stringContaining(because)]);
  });
});
