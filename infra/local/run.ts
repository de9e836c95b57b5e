import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { Exporter } from '../../events/exporter/exporter.ts';
import type { AuditListener } from '../../events/exporter/exporter-options.ts';
import { INCIDENT_CHANGED, type IncidentChanged } from '../../events/incident-changed.ts';
import { UnknownClusterError } from '../../shared/acting.ts';
import type { Artifacts } from '../../shared/artifacts/artifacts.ts';
import { LocalBus } from '../../shared/bus/local.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { Engine, type EngineOptions } from '../../shared/engine.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import type { Fact, Remediation } from '../../shared/remediation.ts';
import { SqliteSchedule } from '../../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { Recording } from './recording.ts';
import { type SlackOptions, startSlack } from './slack.ts';

export interface LocalOptions {
  /** Names the cluster in facts and incidents. */
  cluster: string;
  /** How to connect as `exporter` or as a remediation: one identity each. */
  connect(identity: string): Connection;
  /** User names (prefixes) that are kubemend itself: their writes are never somebody else's. */
  ownUsers: string[];
  /** Holds the state database and the exporter's spool; one run at a time. */
  directory: string;
  remediations: Remediation[];
  artifacts: Artifacts;
  auditWebhook?: AuditListener;
  /** Tells a Slack channel, and takes people's clicks. */
  slack?: SlackOptions;
  /** Keeps a redacted recording of what is seen and read in the state folder, for `capture`. */
  record?: boolean;
  onChange?(change: IncidentChanged): void;
  onProblem(message: string): void;
  clock?: Clock;
  leaseFor?: number;
  checkpoint?: EngineOptions['checkpoint'];
}

/** Exporter, bus, engine, state and schedule in one process: the same code as in AWS. */
export interface LocalRun {
  state: SqliteState;
  schedule: SqliteSchedule;
  exporter: Exporter;
  engine: Engine;
  /** Ends watching, lets the work at hand finish, and leaves the rest to the next start. */
  stop(): Promise<void>;
  /** Ends as a crash would: leases stay held, work at hand stays undone. For tests. */
  kill(): Promise<void>;
}

const RUNNER = 'runner';
/** How often what was left is taken up, milliseconds. */
const TICK = 300_000;

/** Another kubemend runs on this state folder. */
export class AlreadyRunningError extends Error {
  override name = 'AlreadyRunningError';
}

/** Starts everything on this machine. Throws AlreadyRunningError when the state folder is in use. */
export async function startLocal(options: LocalOptions): Promise<LocalRun> {
  const {
    cluster,
    connect,
    ownUsers,
    directory,
    remediations,
    artifacts,
    auditWebhook,
    onChange,
    onProblem,
    clock = systemClock,
  } = options;
  const database = openDatabase(join(directory, 'kubemend.sqlite'));
  const state = new SqliteState(database);
  const owner = `${process.pid}-${clock.now()}`;
  const { leaseFor = 15_000 } = options;
  const hold = () => state.lease(RUNNER, owner, clock.now() + leaseFor, clock.now());
  if (!(await hold())) throw new AlreadyRunningError(`Another kubemend runs on ${directory} (or died less than ${leaseFor / 1_000} s ago)`);
  // What is handed in from outside (`send`, `redrive`) has to be of this cluster.
  await state.set('cluster', cluster);
  const heart = setInterval(() => void hold(), leaseFor / 3);

  const giveUp = async (error: Error): Promise<never> => {
    clearInterval(heart);
    await state.release(RUNNER, owner);
    database.close();
    throw error;
  };

  const schedule = new SqliteSchedule(database, clock, onProblem);
  const bus = new LocalBus(onProblem);
  const transports = new Map<string, Transport>();
  const transport = (identity: string): Transport => {
    const known = transports.get(identity) ?? new Transport(connect(identity));
    transports.set(identity, known);
    return known;
  };
  const recording = options.record ? await Recording.start(directory, remediations, clock.now) : undefined;
  const access: EngineOptions['access'] = (name, remediation) => {
    if (name !== cluster) throw new UnknownClusterError(`this run watches ${cluster}, not ${name}`);
    const sender = transport(remediation);
    const view = () => new LiveCluster(cluster, sender, artifacts);
    return { examine: () => recording?.view(remediation, view()) ?? view(), sender, announcer: sender };
  };
  const engine = new Engine({
    ...{ remediations, access, state, schedule, bus, artifacts, owner, onProblem, leaseFor, now: clock.now },
    ...(options.checkpoint && { checkpoint: options.checkpoint }),
  });
  const rules = remediations.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
  for (const { name, pattern } of rules) bus.subscribe(pattern, ({ detail }) => engine.fact(name, detail as unknown as Fact));
  bus.subscribe({ source: ['kubemend'], 'detail-type': [INCIDENT_CHANGED] }, async ({ detail }) =>
    onChange?.(detail as unknown as IncidentChanged),
  );

  const surroundings = { bus, state, schedule, database, remediations, clock, owner, onProblem };
  const slack = options.slack && (await startSlack(options.slack, surroundings).catch(giveUp));

  const exporter = new Exporter({
    ...{ cluster, rules, ownUsers, onProblem, clock, random: Math.random, directory: join(directory, 'exporter') },
    open: (path, signal, accept) => transport('exporter').open(path, signal, accept),
    // Like PutEvents: taken means handed over, not handled.
    sink: {
      async put(events) {
        for (const event of events) void bus.publish(event);
      },
    },
    ...(auditWebhook && { auditWebhook }),
    ...(recording && { record: recording }),
  });

  schedule.start((appointment) => engine.due(appointment));
  // People's verbs write to the same database from another process.
  const watcher: FSWatcher = watch(directory, () => schedule.refresh());
  const takeUp = () =>
    void engine.recover().catch((error: Error) => onProblem(`Unfinished incidents could not be taken up: ${error.message}`));
  takeUp();
  const tick = setInterval(takeUp, TICK);
  await exporter.start();

  const end = async (finish: () => Promise<void>) => {
    clearInterval(heart);
    clearInterval(tick);
    watcher.close();
    await exporter.stop();
    await finish();
    await slack?.stop();
    for (const open of transports.values()) open.close();
    database.close();
  };
  return {
    ...{ state, schedule, exporter, engine },
    stop: () =>
      end(async () => {
        await schedule.stop();
        await engine.idle();
        await state.release(RUNNER, owner);
      }),
    kill: () => end(async () => schedule.abandon()),
  };
}
