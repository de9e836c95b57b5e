import { type BatchAnswer, deliverBatch, type QueueBatch } from '../../../shared/schedule/queue-batch.ts';
import type { Appointment, Schedule } from '../../../shared/schedule/schedule.ts';
import type { State } from '../../../shared/state/state.ts';

/** What continuing needs. It has no cluster and no right in one: each remediation's own function acts, as itself. */
export interface Continuation {
  state: Pick<State, 'load' | 'list'>;
  /** Takes an appointment that came too early. */
  schedule: Schedule;
  now(): number;
  /** Runs the function of a remediation and waits for its end. Throws when it failed. */
  invoke(remediation: string, appointment: Appointment): Promise<void>;
  onProblem(problem: string, fields: { incident?: string; messageId?: string }): void;
}

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

/** Wakes every incident with work that nobody does any more. One that fails is tried again the next time. */
export async function takeUp({ state, now, invoke, onProblem }: Continuation): Promise<{ woken: string[] }> {
  const left = (await state.list({ unfinished: true })).filter(({ updatedAt }) => now() - updatedAt > LEFT);
  const woken = await Promise.all(
    left.map(async ({ id, remediation }) => {
      try {
        await invoke(remediation, { incident: id, token: 'wake', at: now() });
        return [id];
      } catch (error) {
        onProblem(`It could not be taken up: ${(error as Error).message}`, { incident: id });
        return [];
      }
    }),
  );
  return { woken: woken.flat() };
}
