import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { incidentChanged } from '../events/incident-changed.ts';
import { compile } from '../events/pattern.ts';
import { type WritesCounted, writesCounted } from '../events/writes-counted.ts';
import { remediationRbac } from '../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../infra/remediations.ts';
import type { Remediation } from '../shared/remediation.ts';
import { Admin } from './control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from './control-plane/control-plane.ts';
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import { readCrds, seedStaleCrds } from './scenarios/strimzi/cluster.ts';
import { unzip } from './unzip.ts';

interface Resource {
  Type: string;
  Properties: Record<string, never>;
}
type Statement = { Effect: string; Action: string | string[]; Resource: unknown; Principal?: { Service?: string }; Condition?: unknown };

const ROOT = join(import.meta.dirname, '..');
const KILOBYTE = 1_000;

let folder: string;
let remediations: Remediation[];
let resources: Record<string, Resource>;
/** Path in the archive to content, per function. */
const archives = new Map<string, Map<string, Buffer>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-package-'));
  const packaged = join(folder, 'package');
  // An empty home and nothing but a PATH: no credentials, no profile, no region.
  const env = { PATH: process.env.PATH ?? '', HOME: folder };
  await promisify(execFile)('npm', ['run', 'package', '--', '--package', packaged], { cwd: ROOT, env }).catch((error) => {
    throw new Error(`npm run package failed:\n${error.stdout}\n${error.stderr}`);
  });
  resources = JSON.parse(await readFile(join(packaged, 'cloudformation-template-update-stack.json'), 'utf8')).Resources;
  for (const file of await readdir(packaged)) {
    if (file.endsWith('.zip')) archives.set(file.replace('.zip', ''), unzip(await readFile(join(packaged, file))));
  }
  remediations = await loadRemediations();
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const ofType = (type: string): [id: string, properties: Record<string, never>][] =>
  Object.entries(resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, Properties]] : []));
const attribute = (value: unknown): string => (value as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
const statementsOf = (value: unknown): Statement[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => (key === 'Statement' ? (inner as Statement[]) : statementsOf(inner)));

describe('the packaged template', () => {
  it('has one function per remediation, named after its folder', () => {
    const names = ofType('AWS::Lambda::Function').map(([, { FunctionName }]) => FunctionName as string);
    expect(names.sort()).toEqual(remediations.map(({ name }) => `kubemend-dev-${name.replace('/', '-')}`).sort());
    expect(names.filter((name) => name.length > 64)).toEqual([]);
  });

  it("has one rule on the bus per pattern: exactly the definition's, and short enough", () => {
    const rules = ofType('AWS::Events::Rule').map(([, rule]) => rule);
    const patterns = remediations.flatMap(({ when }) => when);
    expect(rules.map(({ EventPattern }) => EventPattern)).toEqual(patterns);
    for (const { EventPattern, EventBusName, State } of rules) {
      expect([EventBusName, State]).toEqual([{ Ref: 'Bus' }, 'ENABLED']);
      expect(JSON.stringify(EventPattern).length).toBeLessThanOrEqual(2_048);
      expect(() => compile(EventPattern)).not.toThrow();
    }
    expect(resources.Bus?.Type).toBe('AWS::Events::EventBus');
  });

  it('gives every rule a dead-letter queue that EventBridge may write to, and an hour at most', () => {
    const policies = ofType('AWS::SQS::QueuePolicy').map(([, policy]) => policy);
    for (const [, rule] of ofType('AWS::Events::Rule')) {
      const [target] = rule.Targets as { RetryPolicy: { MaximumEventAgeInSeconds: number }; DeadLetterConfig: { Arn: unknown } }[];
      expect(target?.RetryPolicy.MaximumEventAgeInSeconds).toBeLessThanOrEqual(3_600);
      const queue = attribute(target?.DeadLetterConfig.Arn);
      expect(resources[queue]?.Type).toBe('AWS::SQS::Queue');
      const policy = policies.find(({ Queues }) => JSON.stringify(Queues) === JSON.stringify([{ Ref: queue }]));
      const [statement] = statementsOf(policy);
      expect(statement).toMatchObject({ Effect: 'Allow', Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' } });
      expect(attribute(statement?.Resource)).toBe(queue);
      expect(JSON.stringify(statement?.Condition)).toContain(`:rule/\${Bus}/${rule.Name}"`);
    }
    const queues = ofType('AWS::SQS::Queue').map(([id]) => id);
    expect(policies.map(({ Queues }) => (Queues as { Ref: string }[])[0]?.Ref).sort()).toEqual(queues.sort());
  });

  it('gives every function its own role, concurrency, log group and failure queue on Node 24 for arm64', () => {
    const functions = ofType('AWS::Lambda::Function');
    expect(new Set(functions.map(([, { Role }]) => attribute(Role))).size).toBe(functions.length);
    expect(ofType('AWS::IAM::Role').map(([id]) => id)).toEqual(functions.map(([, { Role }]) => attribute(Role)));
    const logGroups = ofType('AWS::Logs::LogGroup').map(([, group]) => group);
    const configurations = ofType('AWS::Lambda::EventInvokeConfig').map(([, configuration]) => configuration);
    for (const [id, lambda] of functions) {
      expect(lambda).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], ReservedConcurrentExecutions: expect.any(Number) });
      expect(lambda.ReservedConcurrentExecutions).toBeGreaterThan(0);
      expect(logGroups).toContainEqual({ LogGroupName: `/aws/lambda/${lambda.FunctionName}`, RetentionInDays: 30 });
      const asynchronous = configurations.find(({ FunctionName }) => JSON.stringify(FunctionName) === JSON.stringify({ Ref: id }));
      expect(asynchronous).toMatchObject({ MaximumEventAgeInSeconds: 3_600, DestinationConfig: { OnFailure: expect.anything() } });
    }
  });

  it('grants each role its own logs, its own dead letters and events as kubemend, and nothing else', () => {
    for (const [id, role] of ofType('AWS::IAM::Role')) {
      const own = id.replace(/Role$/, '');
      expect(statementsOf(role.Policies).map(({ Action, Resource, Condition }) => [Action, attribute(Resource), Condition])).toEqual([
        [['logs:CreateLogStream', 'logs:PutLogEvents'], `${own}LogGroup`, undefined],
        [['events:PutEvents'], 'Bus', { StringEquals: { 'events:source': 'kubemend' } }],
        [['sqs:SendMessage'], `${own}DeadLetters`, undefined],
      ]);
    }
  });

  it('allows nothing with a wildcard', () => {
    const allowed = statementsOf(resources).filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.length).toBeGreaterThan(0);
    for (const { Action, Resource, Principal } of allowed) expect(JSON.stringify([Action, Resource, Principal])).not.toContain('*');
  });

  it('holds no cluster and no credential that nobody gave it', () => {
    for (const [, { Environment }] of ofType('AWS::Lambda::Function')) {
      expect(Environment).toEqual({ Variables: { KUBEMEND_BUS: { Ref: 'Bus' }, KUBEMEND_CLUSTERS: '' } });
    }
  });
});

describe('the archives', () => {
  it('hold the bundle and the pinned documents of one function, 800 KB at most', () => {
    expect([...archives.keys()].sort()).toEqual(remediations.map(({ name }) => name.replace('/', '-')).sort());
    for (const { name } of remediations) {
      const files = archives.get(name.replace('/', '-')) ?? new Map<string, Buffer>();
      expect([...files.keys()].sort()).toEqual([`dist/${name}/artifacts.json.br`, `dist/${name}/index.mjs`]);
      expect(files.get(`dist/${name}/index.mjs`)?.length).toBeLessThanOrEqual(800 * KILOBYTE);
    }
  });
});

const NAME = 'strimzi/upgrade-stale-crds';

describe(`the packaged ${NAME}, run as Lambda runs it`, () => {
  let plane: ControlPlane;
  let admin: Admin;
  let proxy: RecordingProxy;
  let eventBridge: Server;
  let lambda: ChildProcess;
  let logs = '';
  const entries: { EventBusName: string; Source: string; DetailType: string; Detail: string }[] = [];
  let fact: WritesCounted;

  beforeAll(async () => {
    // Like the API server's front, this user may do nothing but act for others.
    plane = await startControlPlane({ users: [{ name: 'kubemend' }] });
    admin = new Admin(plane.connection('admin', 'test'));
    proxy = await startRecordingProxy(plane);
    await seedStaleCrds(admin, { crds: await readCrds('0.41.0') });
    const remediation = remediations.find(({ name }) => name === NAME) as Remediation;
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const mayImpersonate = {
      apiGroups: [''],
      resources: ['users'],
      resourceNames: [`kubemend:${NAME.replace('/', ':')}`],
      verbs: ['impersonate'],
    };
    await admin.create(`${rbac}/clusterroles`, { metadata: { name: 'act-for' }, rules: [mayImpersonate] });
    await admin.create(`${rbac}/clusterrolebindings`, {
      metadata: { name: 'act-for' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'act-for' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'kubemend' }],
    });
    for (const object of remediationRbac(remediation)) await admin.create(`${rbac}/${object.kind.toLowerCase()}s`, { ...object });
    fact = await theFact();

    eventBridge = createServer(async (request, response) => {
      const { Entries } = (await json(request)) as { Entries: typeof entries };
      entries.push(...Entries);
      const body = { FailedEntryCount: 0, Entries: Entries.map((_, index) => ({ EventId: `${index}` })) };
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => eventBridge.listen(0, '127.0.0.1', resolve));
    lambda = await startLambda();
  }, 90_000);

  afterAll(async () => {
    lambda?.kill();
    eventBridge?.closeAllConnections();
    eventBridge?.close();
    await proxy?.stop();
    admin?.close();
    await plane?.stop();
  }, 30_000);

  async function theFact(): Promise<WritesCounted> {
    const { metadata } = await admin.get('/apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkas/my-cluster');
    const iso = (before: number): string => new Date(Date.now() - before).toISOString();
    const object = { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas', namespace: 'kafka', name: 'my-cluster' };
    return writesCounted.parse({
      ...{ id: 'fact-0001', cluster: 'prod', observedAt: iso(0), coverage: { sources: ['watch', 'audit'], gap: false, dropped: 0 } },
      object: { ...object, kind: 'Kafka', uid: metadata.uid },
      window: { seconds: 600, start: iso(600_000), end: iso(0) },
      ...{ writes: 6, changes: 0, noops: 0, phantoms: 6, errors: 0, codes: { 200: 6 }, shape: 'churn' },
      actors: [{ user: 'operator', userAgent: 'strimzi-cluster-operator/0.43.0', pod: 'operator-1', verbs: ['update'], writes: 6 }],
      recent: [{ at: iso(1_000), effect: 'phantom' }],
    });
  }

  /** Unpacks the archive far from node_modules and starts it with what Lambda would set. */
  async function startLambda(): Promise<ChildProcess> {
    const task = join(folder, 'task');
    for (const [path, content] of archives.get(NAME.replace('/', '-')) ?? []) {
      await mkdir(dirname(join(task, path)), { recursive: true });
      await writeFile(join(task, path), content);
    }
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, plane.tokens.kubemend ?? '');
    const env = {
      KUBEMEND_BUS: 'kubemend-dev',
      KUBEMEND_CLUSTERS: JSON.stringify({ prod: { server: proxy.server, ca: proxy.ca, tokenFile } }),
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${(eventBridge.address() as AddressInfo).port}`,
    };
    const runner = join(import.meta.dirname, 'lambda-runner.mjs');
    const child = fork(runner, [join(task, 'dist', NAME, 'index.mjs')], { env, cwd: task, execArgv: [], silent: true });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (logs += chunk));
    const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (first?.ready !== true) throw new Error(`The bundle could not be started: ${logs}`);
    return child;
  }

  async function invoke(event: unknown): Promise<{ answer?: Record<string, unknown>; error?: string }> {
    const answered = Promise.race([once(lambda, 'message'), once(lambda, 'exit')]);
    lambda.send(event as object);
    const [message] = await answered;
    return message;
  }

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
  ])('answers %s clearly, asks the cluster nothing and tells nothing', async (_, event, because) => {
    const before = [entries.length, proxy.requests.length];
    expect(await invoke(event())).toEqual({ answer: { taken: false, because: expect.stringContaining(because) } });
    expect([entries.length, proxy.requests.length]).toEqual(before);
    expect(logs).toContain(JSON.stringify(because).slice(1, -1));
  });

  it('plans the fix of a stale CRD and publishes it, saying that it looked once in shadow', async () => {
    const { answer } = await invoke(envelope(fact));
    expect(answer).toMatchObject({ taken: true, state: 'planned' });
    expect(entries).toHaveLength(1);
    const [{ Detail = '', ...entry } = {}] = entries;
    expect(entry).toMatchObject({ EventBusName: 'kubemend-dev', Source: 'kubemend', DetailType: 'Incident Changed' });
    const told = incidentChanged.parse(JSON.parse(Detail));
    expect(told).toMatchObject({ cluster: 'prod', remediation: NAME, state: 'planned', object: { name: 'my-cluster' } });
    expect(told.because).toContain('which the live CRD drops (looked once, in shadow');
    expect(told.record).toMatchObject({ plan: { steps: [{ kind: 'apply', document: { artifact: 'strimzi/0.43.0' } }] } });
  });

  it('is report only for a replayed fact', async () => {
    await invoke(envelope(fact, { 'replay-name': 'last-week' }));
    expect(entries.at(-1)?.Detail).toContain('archive replay \\"last-week\\": report only');
  });

  it('reached the API server in its own name, with GET alone: nothing was written', async () => {
    expect(proxy.requests.length).toBeGreaterThan(0);
    expect(new Set(proxy.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(new Set(proxy.requests.map(({ as }) => as))).toEqual(new Set(['kubemend:strimzi:upgrade-stale-crds']));
    const audit = await readFile(plane.auditLog, 'utf8');
    expect(audit).toContain('kafkas');
    expect(audit).not.toContain('impersonatedUser');
  });
});
