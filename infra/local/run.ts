import { randomUUID } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { Exporter } from '../../events/exporter/exporter.ts';
import type { AuditListener } from '../../events/exporter/exporter-options.ts';
import { INCIDENT_CHANGED, type IncidentChanged } from '../../events/incident-changed.ts';
import { guardedSender, UnknownClusterError } from '../../shared/acting.ts';
import type { Artifacts } from '../../shared/artifacts/artifacts.ts';
import { LocalBus } from '../../shared/bus/local.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { Engine, type EngineOptions } from '../../shared/engine.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import type { Fact, Remediation } from '../../shared/remediation.ts';
import { SqliteSchedule } from '../../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { fence } from '../../shared/state/sqlite-fence.ts';
import { fileIdentity } from './file-identity.ts';
import { Ingest } from './ingest.ts';
import { Recording } from './recording.ts';
import { RETENTION_MS, startRetention } from './retention.ts';
import { RUNNER, RunnerLease } from './runner-lease.ts';
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
  /** Milliseconds of a clock that nobody sets. */
  monotonic?(): number;
  leaseFor?: number;
  /** How long ended incidents are kept, milliseconds. Default: 90 days. */
  retention?: number;
  checkpoint?: EngineOptions['checkpoint'];
}

/** Exporter, bus, engine, state and schedule in one process: the same code as in AWS. */
export interface LocalRun {
  state: SqliteState;
  schedule: SqliteSchedule;
  exporter: Exporter;
  engine: Engine;
  /** Resolves with one sentence when another process took over this state directory, or its database was removed or replaced: it acts no more, and is to be stopped. */
  lost: Promise<string>;
  /** Ends watching, lets the work at hand finish, and leaves the rest to the next start. */
  stop(): Promise<void>;
  /** Ends as a crash would: leases stay held, work at hand stays undone. For tests. */
  kill(): Promise<void>;
}

/** How often incidents that nobody works on are recovered, milliseconds. */
const TICK = 300_000;
/** A statement waits so long for a lock, milliseconds: the process does nothing else meanwhile. */
const BUSY_MS = 1_000;

/** Starts everything on this machine, one part after the other. When one fails, those that started are stopped, the newest first. Throws AlreadyRunningError when the state directory is in use. */
export async function startLocal(options: LocalOptions): Promise<LocalRun> {
  const parts = new AsyncDisposableStack();
  try {
    return await startParts(options, parts);
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function startParts(options: LocalOptions, parts: AsyncDisposableStack): Promise<LocalRun> {
  const { cluster, connect, ownUsers, directory, remediations, artifacts, auditWebhook, onChange, onProblem } = options;
  const { clock = systemClock, monotonic = () => performance.now(), leaseFor = 15_000, retention = RETENTION_MS } = options;
  let isKilled = false;
  let resume = (): void => undefined;
  /** What stops a part that was started; one that fails does not keep the others. */
  const stops = (part: string, stop: () => unknown): void =>
    parts.defer(async () => {
      try {
        await stop();
      } catch (error) {
        onProblem(`Stopping ${part} failed: ${(error as Error).message}`);
      }
    });

  const databaseFile = join(directory, 'kubemend.sqlite');
  const database = openDatabase(databaseFile);
  stops('the state database', () => database.close());
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  const state = new SqliteState(database);
  const owner = `${process.pid}-${randomUUID()}`;
  const lease = new RunnerLease({
    ...{ state, directory, owner, leaseFor, monotonic, onProblem, now: clock.now, identity: () => fileIdentity(databaseFile) },
    onResumed: () => resume(),
  });
  stops('the lease', () => (isKilled ? lease.abandon() : lease.release()));
  await lease.take();
  const { mayAct } = lease;
  fence(database, RUNNER, owner);
  // What is handed in from outside (`send`, `redrive`) has to be of this cluster.
  await state.set('cluster', cluster);

  const schedule = new SqliteSchedule(database, clock, onProblem);
  const bus = new LocalBus(onProblem);
  const transports = new Map<string, Transport>();
  stops('the connections', () => {
    for (const open of transports.values()) open.close();
  });
  const transport = (identity: string): Transport => {
    const known = transports.get(identity) ?? new Transport(connect(identity));
    transports.set(identity, known);
    return known;
  };
  const recording = options.record ? await Recording.start(directory, remediations, { now: clock.now, onProblem }) : undefined;
  const access: EngineOptions['access'] = (name, remediation) => {
    if (name !== cluster) throw new UnknownClusterError(`this run watches ${cluster}, not ${name}`);
    const sender = transport(remediation);
    const view = () => new LiveCluster(cluster, guardedSender(sender, mayAct), artifacts);
    return { examine: () => recording?.view(remediation, view()) ?? view(), sender, announcer: sender };
  };
  const engine = new Engine({
    ...{ remediations, access, state, schedule, bus, artifacts, owner, onProblem, leaseFor, mayAct, monotonic, now: clock.now },
    ...(options.checkpoint && { checkpoint: options.checkpoint }),
  });
  const ingest = new Ingest();
  const rules = remediations.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
  for (const { name, pattern } of rules)
    bus.subscribe(pattern, ({ detail }) => ingest.hand(() => engine.fact(name, detail as unknown as Fact)));
  bus.subscribe({ source: ['kubemend'], 'detail-type': [INCIDENT_CHANGED] }, async ({ detail }) =>
    onChange?.(detail as unknown as IncidentChanged),
  );

  if (options.slack) {
    const slack = await startSlack(options.slack, { bus, state, schedule, database, remediations, clock, owner, mayAct, onProblem });
    stops('Slack', () => slack.stop());
  }
  stops('the engine', () => (isKilled ? undefined : engine.idle()));
  stops('the facts at hand', () => ingest.stop());

  const exporter = new Exporter({
    ...{ cluster, rules, ownUsers, onProblem, clock, random: Math.random, directory: join(directory, 'exporter') },
    open: (path, signal, accept) => transport('exporter').open(path, signal, accept),
    // Like PutEvents: taken means handed over, not handled. While facts cannot be recorded the spool keeps them.
    sink: {
      async put(events) {
        const held = mayAct() ?? (ingest.isBlocked ? 'the state database does not take them' : undefined);
        if (held !== undefined) throw new Error(held);
        for (const event of events) void bus.publish(event);
      },
    },
    ...(auditWebhook && { auditWebhook }),
    ...(recording && { record: recording }),
  });
  await exporter.start();
  stops('the exporter', () => exporter.stop());

  // Acting begins when all that can fail has started.
  stops('the schedule', () => (isKilled ? schedule.abandon() : schedule.stop()));
  schedule.start((appointment) => engine.due(appointment));
  // People's verbs write to the same database from another process.
  const watcher: FSWatcher = watch(directory, () => schedule.refresh());
  watcher.on('error', (error) => onProblem(`The state directory is not watched any more: ${error.message}`));
  stops('the watch of the state directory', () => watcher.close());
  const recover = () => {
    engine.recover().catch((error: Error) => onProblem(`Stalled incidents could not be recovered: ${error.message}`));
  };
  resume = () => {
    schedule.refresh();
    recover();
  };
  recover();
  const tick = setInterval(recover, TICK);
  stops('the recovery', () => clearInterval(tick));
  stops('the retention', startRetention({ ...{ database, remediations, retention, mayAct, onProblem }, now: clock.now }));

  return {
    ...{ state, schedule, exporter, engine },
    lost: lease.lost,
    stop: () => parts.disposeAsync(),
    kill: () => {
      isKilled = true;
      return parts.disposeAsync();
    },
  };
}
