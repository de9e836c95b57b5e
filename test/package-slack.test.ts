import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { INCIDENT_CHANGED } from '../events/incident-changed.ts';
import { continueIncidents } from '../functions/kubemend/continue-incident/index.ts';
import { loadRemediations } from '../infra/remediations.ts';
import type { Incident } from '../shared/incident.ts';
import { publicRecord } from '../shared/public-record.ts';
import type { DynamoState } from '../shared/state/dynamodb.ts';
import { type Appointments, makeAppointments } from './aws/appointments.ts';
import { cfnLint } from './aws/cfn-lint.ts';
import { clientOptions, type Moto, startMoto } from './aws/moto.ts';
import { createStateTable, dynamoClient, stateOn } from './aws/state-table.ts';
import { type LocalLambda, startLambda } from './local-lambda.ts';
import { attributeOf, type PackagedService, statementsOf } from './packaged-service.ts';
import { ANSWER, NOTIFY, packageSlack } from './packaged-slack.ts';
import { SlackServer } from './slack/server.ts';
import { problemsOf } from './template-dead-letters.ts';
import { keyOf } from './template-roles.ts';
import { ToyWorld } from './toy-world.ts';

const secretArn = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:kubemend/slack/${name}-AbCd12`;
const [ADA, EVE] = ['U0ADA00001', 'U0EVE00003'];
const OWN = { notify: 'KubemendDashnotifyDashslack', answer: 'KubemendDashanswerDashslack' };

let folder: string;
let service: PackagedService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-slack-'));
  service = await packageSlack(folder, process.env.PATH ?? '', {
    KUBEMEND_SLACK_CHANNEL: 'C0MEND0001',
    ...{ KUBEMEND_SLACK_TOKEN_ARN: secretArn('token'), KUBEMEND_SLACK_SIGNING_SECRET_ARN: secretArn('signing') },
    KUBEMEND_SLACK_APPROVERS: `${ADA}, U0BOB00002`,
  });
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the template with Slack', () => {
  const lambda = (name: string) =>
    service.ofType('AWS::Lambda::Function').find(([, { FunctionName }]) => FunctionName === `kubemend-dev-${keyOf(name)}`)?.[1];
  const variables = (name: string) => (lambda(name)?.Environment as { Variables: object }).Variables;
  const granted = (id: string) =>
    statementsOf(service.resources[`${id}Role`]?.Properties.Policies).map(({ Action, Resource, Condition }) => [
      Action,
      typeof Resource === 'string' ? Resource : ((Resource as Record<string, string>)['Fn::Sub'] ?? attributeOf(Resource)),
      ...(Condition ? [Condition] : []),
    ]);
  const within = (operator: string, names: string[]) => ({
    [`ForAllValues:${operator}`]: { 'dynamodb:LeadingKeys': names },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  });

  it('hears of every change of an incident, and of every minute, for an hour at most and with dead letters', () => {
    const rules = service.ofType('AWS::Events::Rule').filter(([, { Targets }]) => JSON.stringify(Targets).includes(`"${OWN.notify}Lambda`));
    expect(
      rules.map(([, { EventPattern, EventBusName, ScheduleExpression }]) => [EventPattern ?? ScheduleExpression, EventBusName]),
    ).toEqual([
      [{ source: ['kubemend'], 'detail-type': [INCIDENT_CHANGED] }, { Ref: 'Bus' }],
      ['rate(1 minute)', undefined],
    ]);
    expect(problemsOf(service.resources)).toEqual([]);
    const configs = service.ofType('AWS::Lambda::EventInvokeConfig').map(([, config]) => config);
    const own = configs.find(({ FunctionName }) => (FunctionName as { Ref: string }).Ref === `${OWN.notify}LambdaFunction`);
    expect(own).toMatchObject({ MaximumEventAgeInSeconds: 3_600, DestinationConfig: { OnFailure: expect.anything() } });
  });

  it('has one address, which Slack can reach, of the function that takes clicks', () => {
    const [[, url] = [], ...others] = service.ofType('AWS::Lambda::Url');
    expect([url?.AuthType, attributeOf(url?.TargetFunctionArn), others]).toEqual(['NONE', `${OWN.answer}LambdaFunction`, []]);
    const open = service.ofType('AWS::Lambda::Permission').filter(([, { Principal }]) => Principal === '*');
    expect(open.map(([, { FunctionName }]) => attributeOf(FunctionName))).toEqual(Array(2).fill(`${OWN.answer}LambdaFunction`));
    expect(open.map(([, { FunctionUrlAuthType, InvokedViaFunctionUrl }]) => FunctionUrlAuthType ?? InvokedViaFunctionUrl)).toEqual([
      'NONE',
      true,
    ]);
    expect(lambda(ANSWER)).toMatchObject({ ReservedConcurrentExecutions: 5, Runtime: 'nodejs24.x', Architectures: ['arm64'] });
  });

  it('gives the one that tells the token and its own partitions, and nothing else', () => {
    expect(granted(OWN.notify)).toEqual([
      [['logs:CreateLogStream', 'logs:PutLogEvents'], `${OWN.notify}LogGroup`],
      [['sqs:SendMessage'], `${OWN.notify}DeadLetters`],
      [
        ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
        'Table',
        within('StringEquals', ['slack#letters', 'slack#pending', 'slack#settings', 'lease/slack/sender']),
      ],
      [['dynamodb:Query'], `\${Table.Arn}/index/by-update`],
      [['secretsmanager:GetSecretValue'], secretArn('token')],
    ]);
  });

  it('gives the one on the internet the signing secret, incidents and their queue: no token, no mode, no cluster, no function', () => {
    expect(granted(OWN.answer)).toEqual([
      [['logs:CreateLogStream', 'logs:PutLogEvents'], `${OWN.answer}LogGroup`],
      [['dynamodb:GetItem', 'dynamodb:Query'], 'Table', within('StringLike', ['incident/*', 'id/*', 'settings'])],
      [['dynamodb:PutItem'], 'Table', within('StringLike', ['incident/*', 'id/*', 'lease/slack-request/*'])],
      [['sqs:SendMessage'], 'Appointments'],
      [['secretsmanager:GetSecretValue'], secretArn('signing')],
    ]);
    expect(JSON.stringify(variables(ANSWER))).not.toContain('token');
    expect(Object.keys(variables(NOTIFY))).toEqual(['KUBEMEND_TABLE', 'KUBEMEND_SLACK_CHANNEL', 'KUBEMEND_SLACK_TOKEN_ARN']);
  });

  it.each([NOTIFY, ANSWER])('packs %s as one bundle of 800 KB at most', (name) => {
    const files = service.archive(keyOf(name));
    expect([...files.keys()]).toEqual([`dist/${name}/index.mjs`]);
    expect(files.get(`dist/${name}/index.mjs`)?.length).toBeLessThanOrEqual(800_000);
  });

  it('is what cfn-lint takes for CloudFormation', async () => {
    expect(await cfnLint(service.template)).toBe('');
  }, 180_000);
});

describe('the packaged functions of Slack, run as Lambda runs them', () => {
  let moto: Moto;
  let slack: SlackServer;
  let state: DynamoState;
  let appointments: Appointments;
  let lambdas: LocalLambda[];
  let notify: LocalLambda;
  let answer: LocalLambda;
  let incident: Incident;

  beforeAll(async () => {
    moto = await startMoto();
    slack = await new SlackServer(Date.now).start();
    const table = await createStateTable(dynamoClient(moto.endpoint));
    state = stateOn(dynamoClient(moto.endpoint), table);
    appointments = await makeAppointments(moto.endpoint);
    const secrets = new SecretsManagerClient(clientOptions(moto.endpoint));
    const keep = async (Name: string, SecretString: string) =>
      (await secrets.send(new CreateSecretCommand({ Name, SecretString }))).ARN ?? '';
    const common = {
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      AWS_ENDPOINT_URL: moto.endpoint,
      KUBEMEND_TABLE: table,
    };
    const start = (name: string, own: Record<string, string>) =>
      startLambda(service.archive(keyOf(name)), `dist/${name}/index.mjs`, join(folder, 'task', name), { ...common, ...own });
    notify = await start(NOTIFY, {
      ...{ KUBEMEND_SLACK_CHANNEL: slack.channel, KUBEMEND_SLACK_API: slack.api },
      KUBEMEND_SLACK_TOKEN_ARN: await keep('slack/token', slack.token),
    });
    answer = await start(ANSWER, {
      ...{ KUBEMEND_QUEUE: appointments.queue, KUBEMEND_SLACK_APPROVERS: ADA },
      KUBEMEND_SLACK_SIGNING_SECRET_ARN: await keep('slack/signing', slack.signingSecret),
    });
    lambdas = [notify, answer];
    secrets.destroy();
  }, 60_000);
  afterAll(async () => {
    for (const one of lambdas ?? []) one.stop();
    appointments?.close();
    await moto?.stop();
    await slack?.stop();
  });

  /** An incident of a remediation that is deployed, which waits for a person now. */
  async function waiting(id: string): Promise<{ incident: Incident; event: object }> {
    const world = new ToyWorld();
    await world.mode('approve');
    await world.fact();
    await world.run(40_000);
    const [remediation] = await loadRemediations();
    const made = structuredClone(await world.incident());
    if (!made.plan || !remediation) throw new Error('There is no plan to approve');
    const now = Date.now();
    const plan = { ...made.plan, madeAt: now, expiresAt: now + 900_000 };
    const found: Incident = { ...made, id, key: id, remediation: remediation.name, plan, updatedAt: now };
    await state.save(found, 0);
    const told = { id: `${found.revision}.0`, state: found.state, because: found.because, at: now };
    const head = { id: `event-${id}`, source: 'kubemend', 'detail-type': INCIDENT_CHANGED, time: new Date(now).toISOString() };
    return { incident: found, event: { ...head, detail: publicRecord(found, remediation, told) } };
  }
  const tick = () => ({ id: 'tick', source: 'aws.events', 'detail-type': 'Scheduled Event', time: new Date().toISOString(), detail: {} });
  const request = (body: string, headers = slack.sign(body)) => ({
    version: '2.0',
    headers,
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  });
  const click = (user?: { id: string; username: string }) => slack.click(slack.topLevel[0] as never, 'approve', user);
  const stored = async () => (await state.load(incident.id))?.state;

  it('a change of an incident on the bus leads to one message, however often it comes', async () => {
    expect(await notify.invoke(tick())).toEqual({ answer: { taken: true } });
    const { event, ...made } = await waiting('aaaa00000001');
    incident = made.incident;
    expect(await notify.invoke(event)).toMatchObject({ answer: { taken: true } });
    expect(slack.topLevel.map(({ text }) => text)).toEqual([expect.stringContaining('is awaiting-approval')]);
    const before = slack.messages.length;
    await notify.invoke(event);
    await notify.invoke(tick());
    expect([slack.messages.length, slack.topLevel.length, slack.violations]).toEqual([before, 1, []]);
  }, 60_000);

  it.each<[string, () => object, number]>([
    ['forged', () => request(click(), slack.sign(click(), Date.now(), 'a secret that nobody has, 32 long')), 401],
    ['old', () => request(click(), slack.sign(click(), Date.now() - 301_000)), 401],
    ['without a signature', () => request(click(), {}), 401],
    ['of somebody who may not decide', () => request(click({ id: EVE, username: 'eve' })), 200],
  ])('a click that is %s approves nothing', async (_, make, statusCode) => {
    expect(await answer.invoke(make())).toEqual({ answer: { statusCode, body: '' } });
    expect(await stored()).toBe('awaiting-approval');
  });

  it('a signed click approves, once, and wakes the function of its remediation; a copy of it is refused', async () => {
    const genuine = request(click());
    expect(await answer.invoke(genuine)).toEqual({ answer: { statusCode: 200, body: '' } });
    expect(await stored()).toBe('executing');
    expect((await state.load(incident.id))?.approval?.by).toBe(`ada (Slack ${ADA})`);
    expect(await answer.invoke(genuine)).toEqual({ answer: { statusCode: 401, body: '' } });
    const woken: unknown[] = [];
    await appointments.runQueue((batch) =>
      continueIncidents(batch, {
        ...{ state, now: Date.now, schedule: { put: async () => undefined } },
        invoke: async (remediation, appointment) => void woken.push([remediation, appointment.incident, appointment.token]),
        onProblem: (problem) => woken.push(problem),
      }),
    );
    expect(woken).toEqual([[incident.remediation, incident.id, 'wake']]);
  });

  it('tells by its clock what no event told, and what Slack was away for, and touches no setting of people', async () => {
    slack.weather = 'away';
    const other = await waiting('bbbb00000002');
    expect(await notify.invoke(tick())).toMatchObject({ answer: { taken: true } });
    slack.weather = 'fine';
    for (let tries = 0; tries < 5 && slack.topLevel.length < 2; tries += 1) await notify.invoke(tick());
    expect(slack.topLevel.map(({ text }) => text)).toEqual([
      expect.stringContaining('is executing'),
      expect.stringContaining('is awaiting-approval'),
    ]);
    expect([other.incident.id, await state.settings()]).toEqual(['bbbb00000002', {}]);
    await notify.logged('told later');
  }, 120_000);
});
