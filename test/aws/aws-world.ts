import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { IncidentChanged } from '../../events/incident-changed.ts';
import type { ObjectChanged } from '../../events/object-changed.ts';
import { type Continuation, continueIncidents, takeUp } from '../../functions/kubemend/continue-incident/index.ts';
import { act } from '../../infra/lambda/act.ts';
import { type DueEvent, invoke } from '../../infra/lambda/continue-incident.ts';
import type { Adapters } from '../../infra/lambda/handler.ts';
import { s3Bucket } from '../../shared/artifacts/bucket.ts';
import { S3Artifacts } from '../../shared/artifacts/s3.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { EventBridgeBus } from '../../shared/bus/eventbridge.ts';
import { Engine } from '../../shared/engine.ts';
import type { Incident } from '../../shared/incident.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import { complete, type Limits, type Remediation } from '../../shared/remediation.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import { EARLY } from '../../shared/schedule/scheduler.ts';
import type { State } from '../../shared/state/state.ts';
import { MemoryCluster } from '../memory-cluster.ts';
import { mendWidgets, WIDGETS, widgetPath } from '../toy-remediation.ts';
import { START } from '../toy-world.ts';
import { type Appointments, makeAppointments } from './appointments.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { startInvokeService } from './invoke-service.ts';
import { clientOptions, type Moto } from './moto.ts';
import { racingSender } from './racing-sender.ts';
import { createStateTable, dynamoClient, stateOn } from './state-table.ts';

/** Seconds until a message that failed comes again. */
const VISIBILITY = 30;
/** How long Lambda waits before it gives a failed event to the function again, milliseconds. */
const AGAIN = 60_000;
/** How often what was left behind is taken up, milliseconds. */
const TICK = 300_000;
/** The toy as it is deployed. */
export const REMEDIATION = complete('example/mend-widgets', mendWidgets({}), {});

/** What is lost is silent for that long, milliseconds. */
const SILENCE = 50;

let made = 0;

/** The toy remediation on moto's table, queue, schedules, bus and bucket behind a proxy that can fail: each delivery is a new process, as in Lambda. */
export class AwsWorld {
  readonly cluster: MemoryCluster;
  readonly problems: string[] = [];
  readonly told: IncidentChanged[] = [];
  readonly proxy: FaultProxy;
  /** Whether what was left behind is taken up every five minutes. */
  ticking = false;
  /** How often the remediation's function was run. */
  invocations = 0;
  /** The table without the proxy: what is really there. */
  readonly truth: State;
  readonly #moto: Moto;
  /** What the function works with. */
  readonly through: { state: State; schedule: Schedule; bus: Bus; artifacts: S3Artifacts };
  readonly #appointments: Appointments;
  readonly #lambda: LambdaClient;
  readonly #close: () => Promise<void>;
  /** The moments at which something can happen. */
  readonly #moments = new Set<number>();
  /** Events that Lambda keeps for the function. */
  #events: { fact: ObjectChanged; at: number }[] = [];
  readonly #remediation: Remediation;
  #now = START;

  private constructor(options: {
    moto: Moto;
    proxy: FaultProxy;
    lambda: LambdaClient;
    appointments: Appointments;
    table: string;
    place: string;
    remediation: Remediation;
    close(): Promise<void>;
  }) {
    const { moto, proxy, lambda, appointments, table, place, remediation } = options;
    this.#lambda = lambda;
    this.#remediation = remediation;
    this.#moto = moto;
    this.proxy = proxy;
    this.#appointments = appointments;
    this.cluster = new MemoryCluster([WIDGETS], this.now);
    this.cluster.create(widgetPath('a'), { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'red' } });
    const patient = { requestTimeout: 10_000, throwOnRequestTimeout: true };
    const client = { ...clientOptions(proxy.endpoint), maxAttempts: 1, requestHandler: patient };
    const [dynamo, direct] = [dynamoClient(proxy.endpoint, patient), dynamoClient(moto.endpoint)];
    const events = new EventBridgeClient(client);
    const { credentials } = client;
    const bucket = s3Bucket({ ...client, name: place, credentials: () => credentials, wait: async () => undefined });
    const aws = appointments.schedule(this.now, { endpoint: proxy.endpoint, requestHandler: patient });
    const own = { own: remediation.name, remediations: [remediation.name] };
    this.truth = stateOn(direct, table, own);
    this.through = {
      state: stateOn(dynamo, table, own),
      artifacts: new S3Artifacts({ bucket }),
      schedule: {
        put: (appointment) => {
          this.#moments.add(Math.max(this.#now, appointment.at - EARLY));
          this.#moments.add(this.#now + Math.ceil(Math.max(0, appointment.at - this.#now) / 1_000) * 1_000);
          return aws.schedule.put(appointment);
        },
      },
      bus: this.#noting(new EventBridgeBus({ client: events, bus: place, wait: async () => undefined })),
    };
    this.#close = async () => {
      for (const client of [dynamo, direct, events, lambda]) client.destroy();
      for (const own of [aws, appointments]) own.close();
      await options.close();
    };
  }

  /** Makes a table, queue, group, bus and bucket of its own on moto. */
  static async start(moto: Moto, limits: Partial<Limits> = {}, definition = mendWidgets({})): Promise<AwsWorld> {
    made += 1;
    const place = `world-${made}`;
    await moto.setTime(START);
    const [dynamo, events, s3] = [
      dynamoClient(moto.endpoint),
      new EventBridgeClient(clientOptions(moto.endpoint)),
      new S3Client({ ...clientOptions(moto.endpoint), forcePathStyle: true }),
    ];
    const table = await createStateTable(dynamo);
    await events.send(new CreateEventBusCommand({ Name: place }));
    await s3.send(new CreateBucketCommand({ Bucket: place, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
    for (const client of [dynamo, events, s3]) client.destroy();
    const appointments = await makeAppointments(moto.endpoint, VISIBILITY);
    const proxy = await startFaultProxy(moto.endpoint, SILENCE);
    const service = await startInvokeService(proxy, SILENCE, (event) => world.#engine().due((event as DueEvent).appointment));
    const lambda = new LambdaClient({ ...clientOptions(service.url), maxAttempts: 1 });
    const close = async () => {
      await proxy.stop();
      await service.stop();
    };
    const remediation = complete(REMEDIATION.name, definition, limits);
    const world = new AwsWorld({ moto, proxy, lambda, appointments, table, place, remediation, close });
    return world;
  }

  now = (): number => this.#now;

  /** Somebody changed the widget: EventBridge hands it to Lambda. */
  async fact(): Promise<void> {
    this.#events.push({ fact: this.#changed(), at: this.#now });
    await this.#moveTo(this.#now);
  }

  /** Lambda may run the function for one look twice at once, both with the id of one request. */
  async twice(): Promise<void> {
    const { id: incident, look } = await this.incident();
    if (!look) throw new Error('Nobody will look at the incident');
    const appointment = { incident, ...look };
    this.#now = look.at;
    await this.#moto.setTime(this.#now);
    const log: Adapters['log'] = ({ level, message }) => void (level === 'error' && this.problems.push(message));
    const ended = Promise.withResolvers<void>();
    const sender = racingSender(this.cluster, ended.promise);
    const adapters = { ...this.through, sender: () => sender, now: this.now, log };
    const invocation = { requestId: 'one request', left: () => 30_000, signal: new AbortController().signal };
    const run = (): Promise<unknown> =>
      act(this.#remediation, { appointment }, adapters, invocation)
        .catch((error: Error) => this.problems.push(error.message))
        .finally(ended.resolve);
    await Promise.all([run(), run()]);
  }

  #changed(): ObjectChanged {
    const { uid = '' } = this.cluster.get(widgetPath('a'))?.metadata ?? {};
    const object = { group: 'example.com', version: 'v1', resource: 'widgets', kind: 'Widget', namespace: 'shop', name: 'a', uid };
    const observedAt = new Date(this.#now).toISOString();
    const coverage = { sources: ['watch' as const], gap: false, dropped: 0 };
    const change = { change: 'modified' as const, changed: ['/spec/color'], phantom: false };
    return { id: `changed-${this.#now}`, cluster: 'toy', observedAt, coverage, object, ...change };
  }

  /** Lets time pass. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    while (this.#now < end) {
      const tick = this.ticking ? [(Math.floor(this.#now / TICK) + 1) * TICK] : [];
      await this.#moveTo(Math.min(end, ...tick, ...[...this.#moments].filter((moment) => moment > this.#now)));
    }
  }

  /** The one incident, as it really stands. */
  async incident(): Promise<Incident> {
    const [incident, ...more] = await this.truth.list();
    if (!incident || more.length > 0) throw new Error(`There are ${more.length + (incident ? 1 : 0)} incidents`);
    return incident;
  }

  async stop(): Promise<void> {
    await this.#close();
  }

  async #moveTo(time: number): Promise<void> {
    this.#now = time;
    await this.#moto.setTime(time);
    await this.#appointments.runScheduler(time);
    const due = this.#events.filter(({ at }) => at <= time);
    this.#events = this.#events.filter(({ at }) => at > time);
    for (const { fact } of due) {
      await this.#engine()
        .fact(REMEDIATION.name, fact)
        .catch((error: Error) => {
          this.problems.push(error.message);
          this.#events.push({ fact, at: time + AGAIN });
          this.#moments.add(time + AGAIN);
        });
    }
    const { state, schedule } = this.through;
    const continuation: Continuation = {
      ...{ state, schedule, now: this.now },
      invoke: (remediation, appointment) =>
        invoke(this.#lambda, `kubemend-dev-${remediation.replace('/', '-')}`, { appointment }, async () => undefined),
      onProblem: (problem) => {
        this.problems.push(problem);
        // moto shows it after the second, not at it.
        this.#moments.add(time + VISIBILITY * 1_000 + 1);
      },
    };
    await this.#appointments.runQueue((batch) => continueIncidents(batch, continuation));
    if (this.ticking && time % TICK === 0)
      await takeUp(continuation).catch((error: Error) => this.problems.push(`The tick failed: ${error.message}`));
  }

  #engine(): Engine {
    this.invocations += 1;
    const { artifacts } = this.through;
    return new Engine({
      ...this.through,
      remediations: [this.#remediation],
      access: (name) => ({ examine: () => new LiveCluster(name, this.cluster, artifacts), sender: this.cluster }),
      now: this.now,
      owner: `process ${this.invocations}`,
      onProblem: (problem) => this.problems.push(problem),
    });
  }

  #noting = (bus: Bus): Bus => ({
    publish: async (event) => {
      await bus.publish(event);
      this.told.push(event.detail as unknown as IncidentChanged);
    },
  });
}
