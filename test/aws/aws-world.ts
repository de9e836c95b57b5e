import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { IncidentChanged } from '../../events/incident-changed.ts';
import type { ObjectChanged } from '../../events/object-changed.ts';
import { s3Bucket } from '../../shared/artifacts/bucket.ts';
import { S3Artifacts } from '../../shared/artifacts/s3.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { EventBridgeBus } from '../../shared/bus/eventbridge.ts';
import { Engine } from '../../shared/engine.ts';
import type { Incident } from '../../shared/incident.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import { complete, type Limits, type Remediation } from '../../shared/remediation.ts';
import { deliverBatch } from '../../shared/schedule/queue-batch.ts';
import type { Appointment, Schedule } from '../../shared/schedule/schedule.ts';
import { EARLY } from '../../shared/schedule/scheduler.ts';
import type { State } from '../../shared/state/state.ts';
import { MemoryCluster } from '../memory-cluster.ts';
import { mendWidgets, WIDGETS, widgetPath } from '../toy-remediation.ts';
import { START } from '../toy-world.ts';
import { type Appointments, makeAppointments } from './appointments.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { clientOptions, type Moto } from './moto.ts';
import { createStateTable, dynamoClient, stateOn } from './state-table.ts';

/** Seconds until a message that failed comes again. */
const VISIBILITY = 30;
/** How long Lambda waits before it gives a failed event to the function again, milliseconds. */
const AGAIN = 60_000;
/** The toy as it is deployed. */
export const REMEDIATION = complete('example/mend-widgets', mendWidgets({}), {});

let made = 0;

/** The toy remediation on moto's table, queue, schedules, bus and bucket behind a proxy that can fail: each delivery is a new process, as in Lambda. */
export class AwsWorld {
  readonly cluster: MemoryCluster;
  readonly problems: string[] = [];
  readonly told: IncidentChanged[] = [];
  readonly proxy: FaultProxy;
  /** The table without the proxy: what is really there. */
  readonly truth: State;
  readonly #moto: Moto;
  readonly #through: { state: State; schedule: Schedule; bus: Bus; artifacts: S3Artifacts };
  readonly #appointments: Appointments;
  readonly #close: () => void;
  /** The moments at which something can happen. */
  readonly #moments = new Set<number>();
  /** Events that Lambda keeps for the function. */
  #events: { fact: ObjectChanged; at: number }[] = [];
  readonly #remediation: Remediation;
  #now = START;
  #processes = 0;

  private constructor(options: {
    moto: Moto;
    proxy: FaultProxy;
    appointments: Appointments;
    table: string;
    place: string;
    limits: Partial<Limits>;
  }) {
    const { moto, proxy, appointments, table, place, limits } = options;
    this.#remediation = complete(REMEDIATION.name, mendWidgets({}), limits);
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
    this.truth = stateOn(direct, table);
    this.#through = {
      state: stateOn(dynamo, table),
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
    this.#close = () => {
      for (const client of [dynamo, direct, events]) client.destroy();
      for (const own of [aws, appointments]) own.close();
    };
  }

  /** Makes a table, queue, group, bus and bucket of its own on moto. */
  static async start(moto: Moto, limits: Partial<Limits> = {}): Promise<AwsWorld> {
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
    return new AwsWorld({ moto, proxy: await startFaultProxy(moto.endpoint, 150), appointments, table, place, limits });
  }

  now = (): number => this.#now;

  /** Somebody changed the widget: EventBridge hands it to Lambda. */
  async fact(): Promise<void> {
    const { uid = '' } = this.cluster.get(widgetPath('a'))?.metadata ?? {};
    const object = { group: 'example.com', version: 'v1', resource: 'widgets', kind: 'Widget', namespace: 'shop', name: 'a', uid };
    const observedAt = new Date(this.#now).toISOString();
    const coverage = { sources: ['watch' as const], gap: false, dropped: 0 };
    const change = { change: 'modified' as const, changed: ['/spec/color'], phantom: false };
    this.#events.push({ fact: { id: `changed-${this.#now}`, cluster: 'toy', observedAt, coverage, object, ...change }, at: this.#now });
    await this.#moveTo(this.#now);
  }

  /** Lets time pass. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    while (this.#now < end) await this.#moveTo(Math.min(end, ...[...this.#moments].filter((moment) => moment > this.#now)));
  }

  /** The one incident, as it really stands. */
  async incident(): Promise<Incident> {
    const [incident, ...more] = await this.truth.list();
    if (!incident || more.length > 0) throw new Error(`There are ${more.length + (incident ? 1 : 0)} incidents`);
    return incident;
  }

  async stop(): Promise<void> {
    this.#close();
    await this.proxy.stop();
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
    const { schedule } = this.#through;
    const onProblem = (problem: string) => {
      this.problems.push(problem);
      // moto shows it after the second, not at it.
      this.#moments.add(time + VISIBILITY * 1_000 + 1);
    };
    const handle = (appointment: Appointment) => this.#engine().due(appointment);
    await this.#appointments.runQueue((batch) => deliverBatch(batch, { schedule, now: this.now, handle, onProblem }));
  }

  #engine(): Engine {
    this.#processes += 1;
    const { artifacts } = this.#through;
    return new Engine({
      ...this.#through,
      remediations: [this.#remediation],
      access: (name) => ({ examine: () => new LiveCluster(name, this.cluster, artifacts), sender: this.cluster }),
      now: this.now,
      owner: `process ${this.#processes}`,
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
