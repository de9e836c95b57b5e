import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { INCIDENT_CHANGED } from '../events/incident-changed.ts';
import { continueIncidents } from '../functions/kubemend/continue-incident/index.ts';
import { loadRemediations } from '../infra/remediations.ts';
import type { Incident } from '../shared/incident.ts';
import { publicRecord } from '../shared/public-record.ts';
import type { DynamoState } from '../shared/state/dynamodb.ts';
import { type Appointments, makeAppointments } from './aws/appointments.ts';
import { clientOptions, type Moto, startMoto } from './aws/moto.ts';
import { createStateTable, dynamoClient, stateOn } from './aws/state-table.ts';
import { type LocalLambda, startLambda } from './local-lambda.ts';
import type { PackagedService } from './packaged-service.ts';
import { ANSWER, NOTIFY, packageSlack } from './packaged-slack.ts';
import { SlackServer } from './slack/server.ts';
import { keyOf } from './template-roles.ts';
import { describeSlackTemplate, secretArn } from './template-slack.ts';
import { ToyWorld } from './toy-world.ts';

const [ADA, EVE] = ['U0ADA00001', 'U0EVE00003'];

/** What is left to the next tick is left early. */
const TIMEOUT = 15_000;

const SLACK = {
  KUBEMEND_SLACK_CHANNEL: 'C0MEND0001',
  ...{ KUBEMEND_SLACK_TOKEN_ARN: secretArn('token'), KUBEMEND_SLACK_SIGNING_SECRET_ARN: secretArn('signing') },
  KUBEMEND_SLACK_APPROVERS: `${ADA}, U0BOB00002`,
};
let folder: string;
let service: PackagedService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-slack-'));
  service = await packageSlack(folder, process.env.PATH ?? '', SLACK);
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describeSlackTemplate(() => service, SLACK);

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
      startLambda(service.archive(keyOf(name)), `dist/${name}/index.mjs`, join(folder, 'task', name), { ...common, ...own }, TIMEOUT);
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
    const found: Incident = { ...made, id, key: `${remediation.name}/${id}`, remediation: remediation.name, plan, updatedAt: now };
    await state.save(found, 0);
    await state.set(`mode/${remediation.name}`, 'approve');
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
    for (let tries = 0; tries < 5 && slack.topLevel.length < 2; tries += 1) {
      const again = (await notify.invoke(tick())).answer?.again as number | undefined;
      await delay(Math.max(0, (again ?? 0) - Date.now()));
    }
    expect(slack.topLevel.map(({ text }) => text)).toEqual([
      expect.stringContaining('is executing'),
      expect.stringContaining('is awaiting-approval'),
    ]);
    expect([other.incident.id, await state.settings()]).toEqual(['bbbb00000002', { [`mode/${incident.remediation}`]: 'approve' }]);
    await notify.logged('told later');
  }, 600_000);
});
