import { setTimeout as delay } from 'node:timers/promises';
import { InvokeCommand, type InvokeCommandOutput, LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { type Continuation, continueIncidents, takeUp } from '../../functions/kubemend/continue-incident/index.ts';
import { queueBatch } from '../../shared/schedule/queue-batch.ts';
import type { Appointment } from '../../shared/schedule/schedule.ts';
import { SqsSchedule } from '../../shared/schedule/sqs.ts';
import { CLIENT } from './aws-clients.ts';
import { readContinueEnvironment } from './environment.ts';
import { type Log, metricLine, toConsole } from './log.ts';
import { stateTable } from './state-table.ts';

/** What a remediation's function is given for an incident that is due. */
export interface DueEvent {
  appointment: Appointment;
}

const tick = z.object({ 'detail-type': z.literal('Scheduled Event') });
const NAME = 'kubemend/continue-incident';

/** The Lambda entry: batches of the queue of appointments, and every few minutes a tick to take up what a dead process left. */
export function makeContinueHandler(make: () => Continuation & { log: Log }) {
  let made: ReturnType<typeof make> | undefined;
  return async (event: unknown, _context: unknown): Promise<unknown> => {
    made ??= make();
    const { now, log } = made;
    const began = now();
    const batch = queueBatch.safeParse(event);
    if (!batch.success && !tick.safeParse(event).success) throw new Error(`${NAME} was given neither messages of its queue nor a tick`);
    const counts = { handedOn: 0, notHandedOn: 0 };
    const counting = { ...made, invoke: counted(made.invoke, counts) };
    const answer = batch.success ? await continueIncidents(batch.data, counting) : await takeUp(counting);
    const { handedOn, notHandedOn } = counts;
    const metrics = metricLine({ function: NAME }, counts, now());
    const message = `${handedOn} handed on, ${notHandedOn} failed, in ${now() - began} ms`;
    log({ level: notHandedOn > 0 ? 'warn' : 'info', message, ...metrics });
    return answer;
  };
}

const counted =
  (invoke: Continuation['invoke'], counts: { handedOn: number; notHandedOn: number }): Continuation['invoke'] =>
  async (remediation, appointment) => {
    const failed = await invoke(remediation, appointment).catch((error: Error) => error);
    counts[failed ? 'notHandedOn' : 'handedOn'] += 1;
    if (failed) throw failed;
  };

/** What the deployed function works with: `remediations` are all that were built with it. Throws when its environment is not as it must be. */
export function continueAdapters(remediations: string[]): Continuation & { log: Log } {
  const { table, queue, functions } = readContinueEnvironment();
  const now = Date.now;
  const log = toConsole;
  // A function may work for 30 s; asking it twice is harmless, but of no use.
  const lambda = new LambdaClient({
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 35_000, throwOnRequestTimeout: true },
  });
  return {
    ...{ now, log },
    state: stateTable({ table, remediations }),
    schedule: new SqsSchedule({ client: new SQSClient(CLIENT), queue, now }),
    invoke: (remediation, appointment) => invoke(lambda, `${functions}${remediation.replace('/', '-')}`, { appointment }, delay),
    onProblem: (message, fields) => log({ level: 'error', message, function: NAME, ...fields }),
  };
}

/** Pauses while a function is busy with others, milliseconds: with what the queue waits before it gives a message again, a window of 13 s would be over. */
const PAUSES = [500, 1_000, 1_500, 2_000, 2_500, 2_500];

/** Runs a function to its end. Throws when it could not be started or failed. */
export async function invoke(
  client: Pick<LambdaClient, 'send'>,
  name: string,
  event: DueEvent,
  wait: (ms: number) => Promise<unknown>,
): Promise<void> {
  const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) });
  const send = async (attempt = 0): Promise<InvokeCommandOutput> =>
    client.send(command).catch(async (error: Error) => {
      const pause = PAUSES[attempt];
      if (error.name !== 'TooManyRequestsException' || pause === undefined) throw error;
      await wait(pause);
      return send(attempt + 1);
    });
  const { FunctionError: failure, Payload } = await send();
  if (failure === undefined) return;
  const text = Payload ? Buffer.from(Payload).toString('utf8') : '';
  throw new Error(`${name} failed (${failure}): ${text.slice(0, 500)}`);
}
