import * as z from 'zod';
import { factBase } from './fact.ts';

/** One who wrote, as the API server's audit log names them. */
export const actor = z.object({
  user: z.string(),
  userAgent: z.string(),
  /** `user.extra["authentication.kubernetes.io/pod-name"]` */
  pod: z.string().optional(),
  /** `user.extra["authentication.kubernetes.io/pod-uid"]` */
  podUid: z.string().optional(),
  /** Who impersonated the user: then the API server did not authenticate the user itself. */
  impersonator: z.string().optional(),
  /** From `?fieldManager=` */
  fieldManager: z.string().optional(),
  verbs: z.array(z.string()),
  writes: z.number().int().nonnegative(),
});
export type Actor = z.infer<typeof actor>;

/** Who sent requests that failed. The user is authenticated; the user agent is what the first of these requests claimed. */
export const rejectedWriter = z.object({
  user: z.string(),
  userAgent: z.string(),
  verbs: z.array(z.string()),
  requests: z.number().int().nonnegative(),
  codes: z.record(z.string(), z.number().int()),
});
export type RejectedWriter = z.infer<typeof rejectedWriter>;

/** What a request did: a new state, nothing stored, a state that differs only in times, or an error (4xx, 5xx). */
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
  /** Requests that were stored or may have been: 2xx, and 5xx of authorized requests, from audit; from watch where there is no audit. */
  writes: z.number().int().nonnegative(),
  changes: z.number().int().nonnegative(),
  noops: z.number().int().nonnegative(),
  phantoms: z.number().int().nonnegative(),
  /** Requests of authenticated users that failed: 4xx and 5xx. A few objects per user are counted, in memory only: a restart begins at 0. */
  errors: z.number().int().nonnegative(),
  /** Requests by answered status code, writes and errors: `{"200": 12, "409": 3}`. */
  codes: z.record(z.string(), z.number().int()),
  /** Who wrote: only writes create an actor. */
  actors: z.array(actor),
  /** Who sent the rejected requests. They stored nothing, and prove nothing about who writes the object. At most 8. */
  rejected: z.array(rejectedWriter).optional(),
  /** The newest writes of the window, then the newest rejected requests, oldest first, at most 32: what is left of the failure after a fix. */
  recent: z.array(z.object({ at: z.iso.datetime({ offset: true }), effect })),
  shape: z.enum(['noop', 'churn', 'fight', 'split-brain', 'recreate', 'fan-out', 'error-loop', 'poll', 'busy']),
});
export type WritesCounted = z.infer<typeof writesCounted>;

export const WRITES_COUNTED = 'Writes Counted';
