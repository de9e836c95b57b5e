import { isInFuture } from '../../../shared/clock-step.ts';
import type { Incident } from '../../../shared/incident.ts';
import { callFor, isLeft, leftBefore, lookIsLost } from '../../../shared/left-over.ts';
import { type BatchAnswer, deliverBatch, type QueueBatch } from '../../../shared/schedule/queue-batch.ts';
import type { Appointment, Schedule } from '../../../shared/schedule/schedule.ts';
import type { State } from '../../../shared/state/state.ts';

/** What continuing needs. It has no cluster and no right in one: each remediation's own function acts, as itself. */
export interface Continuation {
  state: Pick<State, 'load' | 'left'>;
  /** Takes an appointment that came too early. */
  schedule: Schedule;
  now(): number;
  /** Runs the function of a remediation and waits for its end. Throws when it failed. */
  invoke(remediation: string, appointment: Appointment): Promise<void>;
  onProblem(problem: string, fields: { incident?: string; messageId?: string }): void;
}

/** Calls to one remediation's function at a time; it has five reserved (infra/functions.cjs), and facts want some. */
const AT_ONCE = 3;
/** Nothing is begun later: a call may last 46 s with its pauses, and a tick 60 s. Milliseconds. */
const BEGIN_WITHIN = 8_000;
/** An outbox that nobody touched for so long was left by a process that died, milliseconds. */
const LEFT = 60_000;

/** Hands each appointment that is due to the function of its incident's remediation; what failed stays in the queue, and holds nothing else up. */
export function continueIncidents(batch: QueueBatch, { state, schedule, now, invoke, onProblem }: Continuation): Promise<BatchAnswer> {
  return deliverBatch(batch, {
    ...{ schedule, now },
    async handle(appointment) {
      const incident = await state.load(appointment.incident);
      if (incident) await invoke(incident.remediation, appointment);
      else onProblem('There is no such incident any more: the appointment is dropped', { incident: appointment.incident });
    },
    onProblem: (problem, messageId) => onProblem(problem, { messageId }),
  });
}

/**
 * Calls every incident that nobody works on any more, and every one whose look was lost: the longest left first, a few of each remediation at a time.
 * One that fails, and what there was no time for, is tried again the next time.
 */
export async function takeUp({ state, now, invoke, onProblem }: Continuation): Promise<{ woken: string[] }> {
  const began = now();
  const left = (await state.left(leftBefore(began - LEFT, began))).filter((incident) => isLeft(incident, began));
  // What is woken later anyhow is no news.
  const calls = left.filter(
    (incident) =>
      !incident.wake ||
      incident.wake.at + LEFT <= began ||
      isInFuture(incident.wake.at - incident.wake.after, began) ||
      lookIsLost(incident, began),
  );
  const woken: string[] = [];
  let late = 0;
  const call = async (incident: Incident): Promise<void> => {
    try {
      await invoke(incident.remediation, callFor(incident, now()));
      woken.push(incident.id);
    } catch (error) {
      onProblem(`It could not be taken up: ${(error as Error).message}`, { incident: incident.id });
    }
  };
  const inTurn = async (queue: Incident[]): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      if (now() - began < BEGIN_WITHIN) await call(next);
      else late += 1;
    }
  };
  const queues = Map.groupBy(calls, ({ remediation }) => remediation).values();
  await Promise.all([...queues].flatMap((queue) => Array.from({ length: AT_ONCE }, () => inTurn(queue))));
  if (late > 0) onProblem(`There was no time to take up ${late} incidents: they are taken up with the next tick`, {});
  return { woken };
}
