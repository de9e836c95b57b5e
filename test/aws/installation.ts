import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateEventBusCommand, EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import type { SandboxRun } from '../../bin/sandbox.ts';
import { Exporter } from '../../events/exporter/exporter.ts';
import { PutEventsSink } from '../../events/exporter/sink/put-events.ts';
import { realWait } from '../../events/exporter/wait.ts';
import type { Envelope } from '../../events/fact.ts';
import { INCIDENT_CHANGED, type IncidentChanged } from '../../events/incident-changed.ts';
import type { Pattern } from '../../events/pattern.ts';
import { identityOf } from '../../infra/kubernetes/rbac.ts';
import type { LocalOptions } from '../../infra/local/run.ts';
import { EventBridgeBus } from '../../shared/bus/eventbridge.ts';
import { Transport } from '../../shared/kubernetes/transport.ts';
import type { Remediation } from '../../shared/remediation.ts';
import { queueBatch } from '../../shared/schedule/queue-batch.ts';
import type { DynamoState } from '../../shared/state/dynamodb.ts';
import { Admin } from '../control-plane/admin.ts';
import { makeAppointments } from './appointments.ts';
import { startRoleProxies } from './as-role.ts';
import { type FunctionService, startFunctionService } from './function-service.ts';
import { clientOptions, type Moto } from './moto.ts';
import { createStateTable, dynamoClient, stateOn } from './state-table.ts';

const CONTINUE = 'kubemend/continue-incident';
const CLOCK = new URL('clock-ahead.mjs', import.meta.url).href;
const PAUSE = 100;

let made = 0;

/** kubemend as it is installed in AWS: moto for AWS, the built functions, each limited to its role, and the hops between the two that moto leaves out. */
export interface Installation {
  state: DynamoState;
  functions: FunctionService;
  /** What the functions answered and threw, oldest first. */
  answers: { name: string; answer: unknown }[];
  /** Puts an event on its bus. */
  put(event: Envelope): Promise<void>;
  /** What stands in EventBridge Scheduler, in milliseconds since 1970. */
  scheduled(): Promise<number[]>;
  /** Lets `milliseconds` pass for the functions and the scheduler. */
  pass(milliseconds: number): void;
  /** Gives it one more cluster: an exporter on it, and its name, address and tokens to the functions. */
  join(options: LocalOptions, admin: Admin): Promise<SandboxRun>;
  /** What the role of a function did not allow. */
  denied(): string[];
  stop(): Promise<void>;
}

interface Options {
  moto: Moto;
  /** What `npm run build` made, and a folder for everything else. */
  built: string;
  folder: string;
  onProblem(message: string): void;
}

/** Makes bus, rules, table, queue and bucket on moto, and begins to deliver. */
export async function install({ moto: { endpoint }, built, folder, onProblem }: Options): Promise<Installation> {
  const name = `kubemend-${++made}`;
  const clients = { dynamo: dynamoClient(endpoint), events: new EventBridgeClient(clientOptions(endpoint)) };
  const { dynamo, events } = clients;
  const table = await createStateTable(dynamo);
  const state = stateOn(dynamo, table);
  const appointments = await makeAppointments(endpoint);
  const own = appointments.schedule(Date.now);
  const s3 = new S3Client({ ...clientOptions(endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  s3.destroy();
  await events.send(new CreateEventBusCommand({ Name: name }));

  const clusters: Record<string, Record<string, object>> = {};
  const limits = new Map<string, Remediation['limits']>();
  let ahead = 0;
  const roles = await startRoleProxies(endpoint);
  /** moto as the role of a function reaches it. */
  const within = (of: string): string => roles.get(of)?.endpoint ?? endpoint;
  const functions = await startFunctionService({
    ...{ built, folder: join(folder, name) },
    environment: (of, lambda) => ({
      ...{ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_ENDPOINT_URL: within(of) },
      ...{ AWS_ENDPOINT_URL_LAMBDA: lambda, KUBEMEND_FUNCTIONS: 'kubemend-dev-', KUBEMEND_BUS: name, KUBEMEND_TABLE: table },
      ...{
        KUBEMEND_BUCKET: name,
        KUBEMEND_QUEUE: appointments.queue.replace(endpoint, within(of)),
        KUBEMEND_QUEUE_ARN: appointments.queueArn,
      },
      ...{ KUBEMEND_DEAD_LETTER_ARN: `${appointments.queueArn}-dead`, KUBEMEND_SCHEDULE_GROUP: appointments.group },
      KUBEMEND_SCHEDULE_ROLE_ARN: 'arn:aws:iam::123456789012:role/scheduler',
      KUBEMEND_LIMITS: JSON.stringify(limits.get(of) ?? {}),
      // Its clock, where a test lets time pass.
      ...(ahead > 0 && { NODE_OPTIONS: `--import=${CLOCK}`, CLOCK_AHEAD: `${ahead}` }),
    }),
    clusters: (of) => clusters[of] ?? {},
  });
  const answers: Installation['answers'] = [];
  const invoke = async (of: string, event: unknown) => {
    const { answer, error } = await functions.invoke(of, event);
    answers.push({ name: of, answer: answer ?? error });
    if (error !== undefined) throw new Error(`${of}: ${error}`);
    return answer;
  };

  const ending = new AbortController();
  const loops: Promise<unknown>[] = [];
  const repeat = (work: () => Promise<unknown>) =>
    loops.push(
      (async () => {
        while (!ending.signal.aborted) {
          await work().catch((error: Error) => ending.signal.aborted || onProblem(error.message));
          await delay(PAUSE, undefined, { signal: ending.signal }).catch(() => undefined);
        }
      })(),
    );
  /** A rule, and what its target is given. What throws comes again. */
  const rule = async (rule: string, pattern: Pattern, deliver: (event: { detail: unknown }) => Promise<unknown>) => {
    const queue = `${name}-${rule}`;
    const { QueueUrl } = await appointments.sqs.send(new CreateQueueCommand({ QueueName: queue, Attributes: { VisibilityTimeout: '5' } }));
    await events.send(new PutRuleCommand({ Name: rule, EventBusName: name, EventPattern: JSON.stringify(pattern) }));
    const Targets = [{ Id: '1', Arn: `arn:aws:sqs:eu-west-1:123456789012:${queue}` }];
    await events.send(new PutTargetsCommand({ Rule: rule, EventBusName: name, Targets }));
    repeat(async () => {
      const { Messages = [] } = await appointments.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      for (const { Body = '', ReceiptHandle } of Messages) {
        await deliver(JSON.parse(Body));
        await appointments.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    });
  };

  const told = new Map<string, (change: IncidentChanged) => void>();
  await rule('outcomes', { source: ['kubemend'], 'detail-type': [INCIDENT_CHANGED] }, async ({ detail }) => {
    const change = detail as IncidentChanged;
    told.get(change.cluster)?.(change);
  });
  repeat(async () => {
    await appointments.runScheduler(Date.now() + ahead);
    await appointments.runQueue(async (batch) => (await invoke(CONTINUE, queueBatch.parse(batch))) as never);
  });

  let rules: Promise<unknown> | undefined;
  const makeRules = async (remediations: Remediation[]) => {
    for (const { name: of, when, limits: own } of remediations) {
      limits.set(of, own);
      for (const [index, pattern] of when.entries())
        await rule(`${of.replace('/', '-')}-${index + 1}`, pattern, (event) => invoke(of, event));
    }
  };
  const join_ = async (options: LocalOptions, admin: Admin): Promise<SandboxRun> => {
    const { cluster, remediations, connect, directory, auditWebhook, ownUsers, onChange } = options;
    if (onChange) told.set(cluster, onChange);
    await mkdir(join(directory, 'tokens'), { recursive: true });
    for (const remediation of remediations) {
      const { server, ca, token } = connect(remediation.name);
      const tokenFile = join(directory, 'tokens', identityOf(remediation.name).replaceAll(':', '-'));
      await writeFile(tokenFile, (await token?.()) ?? '');
      clusters[remediation.name] = { ...clusters[remediation.name], [cluster]: { server, ca, tokenFile } };
    }
    rules ??= makeRules(remediations);
    await rules;
    functions.renew();
    await letActAsThemselves(options, admin);
    const patterns = remediations.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
    const transport = new Transport(connect('exporter'));
    const exporter = new Exporter({
      ...{
        cluster,
        rules: patterns,
        ownUsers,
        onProblem,
        clock: { now: Date.now },
        random: Math.random,
        directory: join(directory, 'exporter'),
      },
      open: (path, signal, accept) => transport.open(path, signal, accept),
      sink: new PutEventsSink({
        client: events,
        bus: name,
        random: Math.random,
        wait: realWait,
        onDeadLetter: (_, because) => onProblem(because),
      }),
      ...(auditWebhook && { auditWebhook }),
    });
    await exporter.start();
    return {
      ...{ state, schedule: own.schedule, exporter },
      async stop() {
        await exporter.stop();
        transport.close();
      },
    };
  };
  return {
    ...{ state, functions, answers, join: join_ },
    scheduled: async () => (await appointments.schedules()).map(({ at }) => at),
    pass(milliseconds) {
      ahead += milliseconds;
      functions.renew();
    },
    denied: () => [...roles.values()].flatMap(({ denied }) => denied),
    put: (event) => new EventBridgeBus({ client: events, bus: name, wait: delay }).publish(event),
    async stop() {
      ending.abort();
      await Promise.all(loops);
      await functions.stop();
      for (const client of Object.values(clients)) client.destroy();
      for (const one of [own, appointments]) one.close();
      await Promise.all([...roles.values()].map((role) => role.stop()));
    },
  };
}

/** Outside EKS a function acts as its own user behind its token: here both are the same user. Resolves when the API server knows it. */
async function letActAsThemselves({ remediations, connect }: LocalOptions, admin: Admin): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  for (const { name } of remediations) {
    const user = identityOf(name);
    const metadata = { name: `as-${user}` };
    const rules = [{ apiGroups: [''], resources: ['users'], resourceNames: [user], verbs: ['impersonate'] }];
    await admin.create(`${rbac}/clusterroles`, { metadata, rules });
    const [apiGroup, subjects] = ['rbac.authorization.k8s.io', [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }]];
    await admin.create(`${rbac}/clusterrolebindings`, {
      metadata,
      roleRef: { apiGroup, kind: 'ClusterRole', name: metadata.name },
      subjects,
    });
  }
  for (const { name } of remediations) {
    const acting = new Admin({ ...connect(name), impersonate: identityOf(name) });
    await acting.until('/version', () => true);
    acting.close();
  }
}
