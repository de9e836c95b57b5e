import * as z from 'zod';
import { factBase } from './fact.ts';

/** One who wrote, as the API server's audit log names them. */
export const actor = z.object({
  user: z.string(),
  userAgent: z.string(),
  /** `user.extra["authentication.kubernetes.io/pod-name"]` */
  pod: z.string().optional(),
  /** From `?fieldManager=` */
  fieldManager: z.string().optional(),
  verbs: z.array(z.string()),
  writes: z.number().int().nonnegative(),
});
export type Actor = z.infer<typeof actor>;

/** What a write did: a new state, nothing stored, a state that differs only in times, or a refusal (4xx, 5xx). */
export const effect = z.enum(['change', 'noop', 'phantom', 'error']);
export type WriteEffect = z.infer<typeof effect>;

/** Writes to one object (or a family of names) in one sliding window. Dry runs and kubemend's own writes are not counted. Source `kubernetes`. */
export const writesCounted = z.object({
  ...factBase,
  /** `sh.helm.release.v1.x.v*`: set instead of one name when a rule counts a family. */
  family: z.string().optional(),
  window: z.object({
    seconds: z.number().int().positive(),
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
  /** Requests that reached storage or would have: 2xx and errors, from audit; from watch where there is no audit. */
  writes: z.number().int().nonnegative(),
  changes: z.number().int().nonnegative(),
  noops: z.number().int().nonnegative(),
  phantoms: z.number().int().nonnegative(),
  errors: z.number().int().nonnegative(),
  /** Writes by answered status code: `{"200": 12, "409": 3}`. */
  codes: z.record(z.string(), z.number().int()),
  actors: z.array(actor),
  /** The newest writes of the window, oldest first, at most 32: they say what is left of the failure after a fix. */
  recent: z.array(z.object({ at: z.iso.datetime({ offset: true }), effect })),
  shape: z.enum(['noop', 'churn', 'fight', 'split-brain', 'recreate', 'fan-out', 'error-loop', 'poll', 'busy']),
});
export type WritesCounted = z.infer<typeof writesCounted>;

export const WRITES_COUNTED = 'Writes Counted';
