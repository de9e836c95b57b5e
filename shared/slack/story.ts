import * as z from 'zod';
import type { IncidentChanged } from '../../events/incident-changed.ts';
import { actor } from '../../events/writes-counted.ts';
import type { Json } from '../canonical.ts';
import type { Step } from '../plan.ts';

const evidence = z.record(
  z.string(),
  z.object({ value: z.custom<Json>((value) => value !== undefined), from: z.enum(['live', 'audit', 'hint']) }),
);

const plan = z.object({
  hash: z.string(),
  because: z.string(),
  evidence,
  steps: z.array(z.custom<Step>((step) => typeof step === 'object' && step !== null && 'kind' in step && 'target' in step)),
  before: z
    .array(
      z.record(
        z.string(),
        z.custom<Json>(() => true),
      ),
    )
    .optional(),
  changes: z.array(z.array(z.string())).optional(),
  expiresAt: z.number(),
});

const entry = z.object({
  at: z.string(),
  state: z.string(),
  because: z.string(),
  by: z.string().optional(),
  verdict: z.object({ kind: z.string(), evidence: evidence.optional(), advice: z.array(z.string()).optional() }).optional(),
});

const seen = z.object({
  writes: z.number(),
  phantoms: z.number(),
  noops: z.number(),
  errors: z.number(),
  shape: z.string(),
  seconds: z.number(),
  actors: z.array(actor),
  rejected: z.array(z.object({ user: z.string(), verbs: z.array(z.string()), requests: z.number() })).default([]),
});

const cause = z.object({ issue: z.string(), affects: z.string(), because: z.string() });

/** What a message is made of: the public record of an incident, as far as it can be understood. Nothing else of an incident comes to Slack. */
export interface Story extends Omit<IncidentChanged, 'record'> {
  plan: z.infer<typeof plan> | undefined;
  history: z.infer<typeof entry>[];
  seen: z.infer<typeof seen> | undefined;
  cause: z.infer<typeof cause> | undefined;
}
export type StoryPlan = z.infer<typeof plan>;

/** Reads a public record. A part of it that is not as it should be is left out: it is shown by `kubemend explain`. */
export function storyOf({ record, ...change }: IncidentChanged): Story {
  const part = <T>(schema: z.ZodType<T>, value: unknown): T | undefined => schema.safeParse(value).data;
  return {
    ...change,
    plan: part(plan, record.plan),
    history: part(z.array(entry), record.history) ?? [],
    seen: part(seen, record.seen),
    cause: part(cause, record.cause),
  };
}
