import * as z from 'zod';
import type { Appointment } from './schedule.ts';

/** An appointment as it travels: in a queue, in an invocation, among dead letters. */
export const appointment: z.ZodType<Appointment> = z.strictObject({
  incident: z.string().min(1),
  token: z.union([z.literal('wake'), z.number()]),
  at: z.number(),
  set: z.number().optional(),
});
