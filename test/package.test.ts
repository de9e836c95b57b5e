import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { incidentChanged } from '../events/incident-changed.ts';
import { compile, type Pattern } from '../events/pattern.ts';
import type { WritesCounted } from '../events/writes-counted.ts';
import { identityOf } from '../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../infra/remediations.ts';
import type { Incident } from '../shared/incident.ts';
import type { Remediation } from '../shared/remediation.ts';
import type { DynamoState } from '../shared/state/dynamodb.ts';
import { type Appointments, makeAppointments } from './aws/appointments.ts';
import { clientOptions, type Moto, startMoto } from './aws/moto.ts';
import { createStateTable, dynamoClient, stateOn } from './aws/state-table.ts';
import { Admin } from './control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from './control-plane/control-plane.ts';
import { type LocalLambda, startEventBridge, startLambda } from './local-lambda.ts';
import { grantRights, makeFact } from './packaged-lambda.ts';
import { attributeOf, codeOf, isCode, type PackagedService, packageService } from './packaged-service.ts';
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import { readCrds, seedStaleCrds } from './scenarios/strimzi/cluster.ts';
import { describeAlarms } from './template-alarms.ts';
import { describeDeadLetters } from './template-dead-letters.ts';
import { problemsOfTemplate } from './template-problems.ts';
import { CONTINUE, describeRoles, keyOf } from './template-roles.ts';
import { describeSettings } from './template-settings.ts';

let folder: string;
let remediations: Remediation[];
let service: PackagedService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-package-'));
  service = await packageService(folder, process.env.PATH ?? '');
  remediations = await loadRemediations();
}, 600_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the packaged template', () => {
  it('has one function per remediation, named after its folder, and the one that continues incidents', () => {
    const names = service.ofType('AWS::Lambda::Function').map(([, { FunctionName }]) => FunctionName as string);
    expect(names.sort()).toEqual([...remediations.map(({ name }) => name), CONTINUE].map((name) => `kubemend-dev-${keyOf(name)}`).sort());
    expect(names.filter((name) => name.length > 64)).toEqual([]);
  });

  it("has one rule on the bus per pattern: exactly the definition's, and short enough", () => {
    const all = service.ofType('AWS::Events::Rule').map(([, rule]) => rule);
    const rules = all.filter(({ EventPattern }) => EventPattern !== undefined);
    expect(all.filter((rule) => !rules.includes(rule)).map(({ ScheduleExpression }) => ScheduleExpression)).toEqual(['rate(5 minutes)']);
    expect(rules.map(({ EventPattern }) => EventPattern)).toEqual(remediations.flatMap(({ when }) => when));
    for (const { EventPattern, EventBusName, State } of rules) {
      expect([EventBusName, State]).toEqual([{ Ref: 'Bus' }, 'ENABLED']);
      expect(JSON.stringify(EventPattern).length).toBeLessThanOrEqual(2_048);
      expect(() => compile(EventPattern as Pattern)).not.toThrow();
    }
    expect(service.resources.Bus?.Type).toBe('AWS::Events::EventBus');
  });

  it('gives each function an environment that it reads, relations that hold, no wildcard, alarms that fire, a bus for its own', async () => {
    expect(await problemsOfTemplate(service.resources)).toEqual([]);
  });

  describeDeadLetters(() => service);

  describeSettings(() => ({ service, folder, path: process.env.PATH ?? '', remediations }));

  it('gives every function its own role, concurrency, log group and failure queue on Node 24 for arm64', () => {
    const functions = service.ofType('AWS::Lambda::Function');
    const roles = functions.map(([, { Role }]) => attributeOf(Role));
    expect(new Set(roles).size).toBe(functions.length);
    expect(
      service
        .ofType('AWS::IAM::Role')
        .map(([id]) => id)
        .sort(),
    ).toEqual([...roles, 'AppointmentsRole'].sort());
    const logGroups = service.ofType('AWS::Logs::LogGroup').map(([, group]) => group);
    const invokeConfigs = service.ofType('AWS::Lambda::EventInvokeConfig').map(([, config]) => config);
    for (const [id, lambda] of functions) {
      expect(lambda).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      const continuing = lambda.FunctionName === `kubemend-dev-${keyOf(CONTINUE)}`;
      expect(lambda.ReservedConcurrentExecutions).toBe(continuing ? 12 : 5);
      expect(logGroups).toContainEqual({ LogGroupName: `/aws/lambda/${lambda.FunctionName}`, RetentionInDays: 30 });
      const config = invokeConfigs.find(({ FunctionName }) => (FunctionName as { Ref: string }).Ref === id);
      expect(config).toMatchObject({ MaximumEventAgeInSeconds: 3_600, DestinationConfig: { OnFailure: expect.anything() } });
    }
  });

  describeRoles(() => ({ service, remediations }));
  describeAlarms(() => ({ service, remediations }));

  it('holds no cluster and no credential that nobody gave it', () => {
    const variables = service
      .ofType('AWS::Lambda::Function')
      .map(([, { Environment }]) => (Environment as { Variables: object }).Variables);
    for (const { name } of remediations) expect(service.archive(keyOf(name)).get(`dist/${name}/clusters.json`)?.toString()).toBe('{}');
    expect(JSON.stringify(variables)).not.toMatch(/SECRET|TOKEN|PASSWORD/i);
  });

  it('comes with one archive per function: the bundle of 800 KB at most and the pinned documents', () => {
    expect(service.functionKeys).toEqual([...remediations.map(({ name }) => name), CONTINUE].map(keyOf).sort());
    const continuing = service.archive(keyOf(CONTINUE));
    expect([...continuing.keys()]).toContain(`dist/${CONTINUE}/index.mjs`);
    expect(codeOf(continuing)).toBeLessThanOrEqual(800_000);
    for (const { name } of remediations) {
      const files = service.archive(keyOf(name));
      const [code, data] = [[...files.keys()].filter(isCode), [...files.keys()].filter((file) => !isCode(file))];
      expect(code).toContain(`dist/${name}/index.mjs`);
      expect(data.sort()).toEqual([`dist/${name}/artifacts.json.br`, `dist/${name}/clusters.json`]);
      expect(codeOf(files)).toBeLessThanOrEqual(800_000);
    }
  });
});

const NAME = 'strimzi/upgrade-stale-crds';

describe(`the packaged ${NAME}, run as Lambda runs it`, () => {
  let plane: ControlPlane;
  let admin: Admin;
  let proxy: RecordingProxy;
  let eventBridge: Awaited<ReturnType<typeof startEventBridge>>;
  let lambda: LocalLambda;
  let moto: Moto;
  let state: DynamoState;
  let appointments: Appointments;
  let fact: WritesCounted;

  beforeAll(async () => {
    plane = await startControlPlane({ users: [{ name: 'kubemend' }] });
    admin = new Admin(plane.connection('admin', 'test'));
    await seedStaleCrds(admin, { crds: await readCrds('0.41.0') });
    const remediation = remediations.find(({ name }) => name === NAME) as Remediation;
    await grantRights(admin, plane, remediation);
    fact = await makeFact(admin);
    proxy = await startRecordingProxy(plane);
    eventBridge = await startEventBridge();
    moto = await startMoto();
    const dynamo = dynamoClient(moto.endpoint);
    const table = await createStateTable(dynamo);
    state = stateOn(dynamo, table);
    appointments = await makeAppointments(moto.endpoint);
    const s3 = new S3Client({ ...clientOptions(moto.endpoint), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'artifacts', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
    s3.destroy();
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, plane.tokens.kubemend ?? '');
    const clusters = JSON.stringify({ prod: { server: proxy.server, ca: proxy.ca, tokenFile } });
    const archive = new Map(service.archive(keyOf(NAME))).set(`dist/${NAME}/clusters.json`, Buffer.from(clusters));
    lambda = await startLambda(archive, `dist/${NAME}/index.mjs`, join(folder, 'task'), {
      KUBEMEND_BUS: 'kubemend-dev',
      ...{ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
      ...{ AWS_ENDPOINT_URL: moto.endpoint, AWS_ENDPOINT_URL_EVENTBRIDGE: eventBridge.url },
      ...{ KUBEMEND_TABLE: table, KUBEMEND_BUCKET: 'artifacts', KUBEMEND_QUEUE: appointments.queue, KUBEMEND_QUEUE_ARN: 'q' },
      ...{ KUBEMEND_DEAD_LETTER_ARN: 'd', KUBEMEND_SCHEDULE_GROUP: appointments.group, KUBEMEND_SCHEDULE_ROLE_ARN: 'r' },
    });
  }, 90_000);

  afterAll(async () => {
    lambda?.stop();
    eventBridge?.stop();
    appointments?.close();
    await moto?.stop();
    await proxy?.stop();
    admin?.close();
    await plane?.stop();
  }, 30_000);

  const envelope = (detail: unknown, rest: object = {}) => ({
    ...{
      version: '0',
      id: 'event-1',
      source: 'kubernetes',
      'detail-type': 'Writes Counted',
      time: new Date().toISOString(),
      detail,
      ...rest,
    },
  });

  it.each([
    ['a fact of a cluster it was not given', () => envelope({ ...fact, cluster: 'staging' }), 'was not given the cluster "staging"'],
    ['a malformed event', () => envelope({ ...fact, writes: 'many' }), 'is no Writes Counted: writes'],
    ['an event of another rule', () => envelope({ ...fact, phantoms: 2 }), "does not match this remediation's rule"],
  ])('answers and logs %s clearly, asks the cluster nothing and tells nothing', async (_, event, because) => {
    const before = [eventBridge.entries.length, proxy.requests.length];
    expect(await lambda.invoke(event())).toEqual({ answer: { taken: false, because: expect.stringContaining(because) } });
    expect([eventBridge.entries.length, proxy.requests.length]).toEqual(before);
    await lambda.logged(JSON.stringify(because).slice(1, -1));
  });

  it('plans the fix of a stale CRD, keeps it in the table and publishes it', async () => {
    expect(await lambda.invoke(envelope(fact))).toMatchObject({ answer: { taken: true, state: 'planned' } });
    expect(eventBridge.entries).toHaveLength(2);
    const [, { Detail = '', ...entry } = {}] = eventBridge.entries;
    expect(entry).toMatchObject({ EventBusName: 'kubemend-dev', Source: 'kubemend', DetailType: 'Incident Changed' });
    const told = incidentChanged.parse(JSON.parse(Detail));
    expect(told).toMatchObject({ cluster: 'prod', remediation: NAME, state: 'planned', object: { name: 'my-cluster' } });
    expect(told.because).toContain('which the live CRD drops');
    expect(told.record).toMatchObject({ plan: { steps: [{ kind: 'apply', document: { artifact: 'strimzi/0.43.0' } }] } });
    expect((await state.list()).map(({ id, state: now }) => [id, now])).toEqual([[told.incident, 'planned']]);
  });

  it('is report only for a replayed fact', async () => {
    await lambda.invoke(envelope(fact, { 'replay-name': 'last-week' }));
    expect(eventBridge.entries.at(-1)?.Detail).toContain('archive replay \\"last-week\\": report only');
  });

  it('reached the API server in its own name, with GET alone: nothing was written', async () => {
    expect(proxy.requests.length).toBeGreaterThan(0);
    expect(new Set(proxy.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(new Set(proxy.requests.map(({ as }) => as))).toEqual(new Set([identityOf(NAME)]));
    const audit = await readFile(plane.auditLog, 'utf8');
    expect(audit).toContain('kafkas');
    expect(audit).not.toContain('impersonatedUser');
  });

  it('in auto, applies the pinned CRD when its appointment is due, keeps a backup, and does it once', async () => {
    await state.set(`mode/${NAME}`, 'auto');
    const [{ id, look }] = (await state.list()) as [Incident];
    const appointment = { appointment: { incident: id, token: look?.token, at: look?.at } };
    expect(await lambda.invoke(appointment)).toMatchObject({ answer: { taken: true, state: 'applied' } });
    expect(await lambda.invoke(appointment)).toMatchObject({ answer: { taken: true, state: 'applied' } });
    const written = proxy.requests.filter(({ method, path }) => method === 'PATCH' && !path.includes('dryRun'));
    expect(written.map(({ path }) => path.split('?')[0])).toEqual([
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkas.kafka.strimzi.io`,
    ]);
    const incident = (await state.load(id)) as Incident;
    expect(incident.execution?.steps[0]?.backup?.artifact).toContain(`backups/${NAME}/${id}`);
    await lambda.logged(`"incident":"${id}"`);
  });
});
