import { createHash } from 'node:crypto';
import * as z from 'zod';
import { API_PARTS } from './api-path.ts';

/** Every part goes into request paths. */
const part = (name: keyof typeof API_PARTS) => z.string().regex(API_PARTS[name], `is not a valid ${name}`);

/** Which object a fact is about. `uid` and `generation` are absent when only audit saw it: a PATCH names neither. */
export const objectReference = z.object({
  /** '' is the core group. */
  group: part('group'),
  version: part('version'),
  /** Plural, lower case: `kafkas`. */
  resource: part('resource'),
  kind: z.string().optional(),
  /** Absent for cluster-scoped objects. */
  namespace: part('namespace').optional(),
  name: part('name'),
  uid: z.string().optional(),
  generation: z.number().int().optional(),
  resourceVersion: z.string().optional(),
});
export type ObjectReference = z.infer<typeof objectReference>;

/** What the exporter may have missed around this fact. Nobody may conclude "it stopped" from silence while `gap` is true. */
export const coverage = z.object({
  sources: z.array(z.enum(['watch', 'audit'])).min(1),
  gap: z.boolean(),
  /** Records dropped since the exporter started. */
  dropped: z.number().int().nonnegative(),
  /** Audit records of this window whose timestamp was out of range: they are counted when they arrived. */
  skewed: z.number().int().positive().optional(),
});
export type Coverage = z.infer<typeof coverage>;

/** What every fact carries. */
export const factBase = {
  /** Deterministic: the same fact sent twice has the same id. */
  id: z.string().min(8),
  cluster: z.string().min(1),
  /** The exporter's clock, ISO 8601 with milliseconds. */
  observedAt: z.iso.datetime({ offset: true }),
  coverage,
  object: objectReference,
};

/** The id of a fact: 32 hex digits of SHA-256 over what makes it the same fact. */
export const factId = (...parts: (string | number | undefined)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** An event as EventBridge delivers it; `detail` is checked by the schema its `detail-type` names. */
export const envelope = z.object({
  id: z.string(),
  source: z.string(),
  'detail-type': z.string(),
  time: z.string(),
  detail: z.record(z.string(), z.unknown()),
  /** Set by EventBridge when an archive is replayed. */
  'replay-name': z.string().optional(),
});
export type Envelope = z.infer<typeof envelope>;
