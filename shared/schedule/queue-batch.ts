import * as z from 'zod';
import { isDue } from '../clock-step.ts';
import { appointment } from './appointment.ts';
import type { Appointment, Schedule } from './schedule.ts';

/** What Lambda hands over from a queue, as far as it is used. */
export const queueBatch = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });
export type QueueBatch = z.infer<typeof queueBatch>;

/** The messages that stay in the queue and come again; all others are done. */
export interface BatchAnswer {
  batchItemFailures: { itemIdentifier: string }[];
}

interface Delivery {
  /** Takes an appointment that came too early. */
  schedule: Schedule;
  now(): number;
  handle(appointment: Appointment): Promise<void>;
  onProblem(problem: string, messageId: string): void;
}

/** Hands on what is due; one that fails does not hold up the others, and is reported to come again. A message that is no appointment ends as a dead letter. */
export async function deliverBatch({ Records }: QueueBatch, { schedule, now, handle, onProblem }: Delivery): Promise<BatchAnswer> {
  const failed = await Promise.all(
    Records.map(async ({ messageId, body }) => {
      try {
        const due = appointment.parse(JSON.parse(body));
        await (isDue(due, now()) ? handle(due) : schedule.put(due));
        return [];
      } catch (error) {
        onProblem(`An appointment failed and comes again: ${(error as Error).message}`, messageId);
        return [{ itemIdentifier: messageId }];
      }
    }),
  );
  return { batchItemFailures: failed.flat() };
}
