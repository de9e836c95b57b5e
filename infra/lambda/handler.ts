import { setTimeout as delay } from 'node:timers/promises';
import middy from '@middy/core';
import type { IncidentState } from '../../events/incident-changed.ts';
import { UnknownClusterError } from '../../shared/acting.ts';
import type { Artifacts } from '../../shared/artifacts/artifacts.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { complete, type Definition, type Limits, type Remediation } from '../../shared/remediation.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import type { Sender } from '../../shared/sender.ts';
import type { State } from '../../shared/state/state.ts';
import type { Metric } from '../metrics.ts';
import { act } from './act.ts';
import { type Log, metricLine } from './log.ts';
import { readWork } from './read-event.ts';

/** What the platform gives to a handler, as far as it is used. */
export interface LambdaContext {
  awsRequestId?: string;
  getRemainingTimeInMillis?(): number;
}

/** What a handler needs from outside; made on the first event. */
export interface Adapters {
  bus: Bus;
  state: State;
  schedule: Schedule;
  artifacts: Artifacts;
  /** Instead of the definition's. */
  limits?: Partial<Limits>;
  /** Reaches a cluster as one remediation. Throws UnknownClusterError. */
  sender(cluster: string, remediation: string): Sender;
  now(): number;
  log: Log;
}

/** One invocation: who it is, how long it may last, and the signal that ends its reading. */
export interface Invocation {
  requestId: string;
  /** Milliseconds that are left. */
  left(): number;
  signal: AbortSignal;
}

/** What a handler answers. Not taken: the event is wrong for this function and stays so; nobody should send it again. */
export type Answer =
  | { taken: true; incident: string; cluster: string; state: IncidentState; because: string; notes?: string[] }
  | { taken: false; because: string };

export type Handler = (event: unknown, context: LambdaContext) => Promise<Answer>;

/** Before the function's timeout: reading is aborted, and this long is left to store and tell what was found. */
const TIMEOUT_EARLY = 5_000;
const GRACE = 4_000;

/** The Lambda entry of one remediation: facts from the bus, and incidents that are due. Throws when it has to be asked again; the record then says where it was. */
export function makeHandler(name: string, definition: Definition, makeAdapters: () => Adapters): Handler {
  // Checked when the module is loaded; its limits are known with the first event.
  let remediation: Remediation = complete(name, definition);
  let adapters: Adapters | undefined;
  const handle = async (event: unknown, context: LambdaContext, { signal }: { signal: AbortSignal }): Promise<Answer> => {
    const cold = adapters === undefined;
    if (!adapters) {
      const made = makeAdapters();
      remediation = complete(name, definition, made.limits);
      adapters = made;
    }
    const { log, now } = adapters;
    const began = now();
    const { awsRequestId: requestId = 'local', getRemainingTimeInMillis: left = () => Number.POSITIVE_INFINITY } = context;
    const common = { remediation: name, requestId };
    const count = (values: Partial<Record<Metric, number>>) =>
      metricLine({ remediation: name }, { ...values, milliseconds: now() - began }, now());
    const work = readWork(event, remediation.when);
    try {
      const invocation = { requestId, left, signal };
      const answer = 'because' in work ? refusal(work.because) : await dispatch(work, invocation, adapters);
      const counted = count(answer.taken ? { handled: 1 } : { refused: 1 });
      log({ level: answer.taken ? 'info' : 'error', message: answer.because, cold, ...common, ...counted, ...answer });
      return answer;
    } catch (error) {
      const incident = 'appointment' in work ? work.appointment.incident : undefined;
      log({ level: 'error', message: (error as Error).message, cold, incident, ...common, ...count({ failed: 1 }) });
      throw error;
    }
  };
  const dispatch = async (work: Exclude<ReturnType<typeof readWork>, { because: string }>, invocation: Invocation, own: Adapters) => {
    try {
      // What was replayed is old: looked at, in shadow, and never written into the record of what is now.
      if (!('replay' in work)) return await act(remediation, work, own, invocation);
      const { reportReplay } = await import('./report-replay.ts');
      return await reportReplay(remediation, work, own, invocation);
    } catch (error) {
      if ('fact' in work && error instanceof UnknownClusterError) return refusal(error.message);
      throw error;
    }
  };
  const handler = middy(handle as never, {
    timeoutEarlyInMillis: TIMEOUT_EARLY,
    async timeoutEarlyResponse() {
      await delay(GRACE, undefined, { ref: false });
      throw new Error(`${name} ran out of time: what is left is done when it is asked again. Is the cluster, the table or the bus slow?`);
    },
  }) as unknown as Handler;
  // nodejs24.x refuses handlers that declare three parameters.
  return (event, context) => handler(event, context);
}

const refusal = (because: string): Answer => ({ taken: false, because });
