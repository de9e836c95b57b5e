import { setTimeout as delay } from 'node:timers/promises';
import middy from '@middy/core';
import type { IncidentState } from '../../events/incident-changed.ts';
import type { Artifacts } from '../../shared/artifacts/artifacts.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { Engine } from '../../shared/engine.ts';
import type { Incident } from '../../shared/incident.ts';
import { type Getter, LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import { complete, type Definition, type Fact, type Remediation } from '../../shared/remediation.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { UnknownClusterError } from './clusters.ts';
import { NoSchedule } from './no-schedule.ts';
import { notedBus } from './noted-bus.ts';
import { readEvent } from './read-event.ts';

/*
 * The state of the work: State (DynamoDB) and Schedule (SQS, Scheduler) have no AWS file yet. Until they have, a function remembers nothing
 * between two events, so it examines once, in shadow, tells what it found, and says in that outcome that nobody looks again.
 * It cannot write: its access has no `sender`, and without a stored mode every mode is shadow.
 */
const SHADOW_ONLY =
  'looked once, in shadow: this function has no durable state yet, so nothing is written and nobody looks again before the next fact';

/** What the platform gives to a handler, as far as it is used. */
export interface LambdaContext {
  awsRequestId?: string;
  getRemainingTimeInMillis?(): number;
}

/** What a handler needs from outside; made on the first event. */
export interface Adapters {
  bus: Bus;
  artifacts: Artifacts;
  /** Reads a cluster as one remediation. Throws UnknownClusterError. */
  getter(cluster: string, remediation: string): Getter;
  now(): number;
  log(line: { level: 'info' | 'warn' | 'error'; message: string; [field: string]: unknown }): void;
}

/** What a handler answers. Not taken: the event is wrong for this function and stays so; nobody should send it again. */
export type Answer =
  | { taken: true; incident: string; state: IncidentState; because: string; notes: string[] }
  | { taken: false; because: string };

export type Handler = (event: unknown, context: LambdaContext) => Promise<Answer>;

/** Before the function's timeout: reading is aborted, and this long is left to tell what was found. */
const TIMEOUT_EARLY = 5_000;
const GRACE = 4_000;

/** The Lambda entry of one remediation. Throws (Lambda tries again, then the dead-letter queue) only when the outcome could not be told or the configuration is wrong. */
export function makeHandler(name: string, definition: Definition, makeAdapters: () => Adapters): Handler {
  const remediation = complete(name, definition);
  let adapters: Adapters | undefined;
  const handle = async (event: unknown, context: LambdaContext, { signal }: { signal: AbortSignal }): Promise<Answer> => {
    adapters ??= makeAdapters();
    const { log } = adapters;
    const reading = readEvent(event, remediation.when);
    const answer = 'because' in reading ? refusal(reading.because) : await run(remediation, reading, adapters, context, signal);
    log({ level: answer.taken ? 'info' : 'error', message: answer.because, remediation: name, requestId: context.awsRequestId, ...answer });
    return answer;
  };
  const handler = middy(handle as never, {
    timeoutEarlyInMillis: TIMEOUT_EARLY,
    async timeoutEarlyResponse() {
      await delay(GRACE, undefined, { ref: false });
      throw new Error(`${name} ran out of time and could not tell what it found: is the bus reachable from its network?`);
    },
  }) as unknown as Handler;
  // nodejs24.x refuses handlers that declare three parameters.
  return (event, context) => handler(event, context);
}

async function run(
  remediation: Remediation,
  { fact, replay }: { fact: Fact; replay?: string | undefined },
  { bus, artifacts, getter, now, log }: Adapters,
  { awsRequestId = 'local' }: LambdaContext,
  signal: AbortSignal,
): Promise<Answer> {
  const notes = [SHADOW_ONLY, ...(replay === undefined ? [] : [`the fact comes from the archive replay "${replay}": report only`])];
  const database = openDatabase(':memory:');
  const state = new SqliteState(database);
  const schedule = new NoSchedule();
  const problems: string[] = [];
  const engine = new Engine({
    ...{ remediations: [remediation], state, schedule, artifacts, now, owner: awsRequestId },
    bus: notedBus(bus, notes),
    access: (cluster, name) => {
      const reader = getter(cluster, name);
      return { examine: () => new LiveCluster(cluster, reader, artifacts, signal) };
    },
    onProblem: (message) => {
      problems.push(message);
      log({ level: 'error', message, remediation: remediation.name, requestId: awsRequestId });
    },
  });
  try {
    await engine.fact(remediation.name, fact);
    const [incident] = (await state.list()) as [Incident];
    if (schedule.unfinished) throw new Error(problems.join('; '));
    return { taken: true, incident: incident.id, state: incident.state, because: incident.because, notes };
  } catch (error) {
    if (error instanceof UnknownClusterError) return refusal(error.message);
    throw error;
  } finally {
    database.close();
  }
}

const refusal = (because: string): Answer => ({ taken: false, because });
