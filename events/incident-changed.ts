import * as z from 'zod';
import { objectReference } from './fact.ts';

/** The states of an incident (DESIGN §5). The last nine end it; `reported` and `shadowed` stay open until the failure is gone. */
export const incidentState = z.enum([
  'detected',
  'waiting',
  'planned',
  'shadowed',
  'reported',
  'awaiting-approval',
  'executing',
  'applied',
  'undoing',
  'verified',
  'ineffective',
  'reverted',
  'cleared',
  'resolved',
  'refused',
  'expired',
  'failed',
  'undone',
]);
export type IncidentState = z.infer<typeof incidentState>;

/** Told on every change of an incident's state: the whole public record. Source `kubemend`. */
export const incidentChanged = z.object({
  /** `<incident>/<revision>`: the same change told twice has the same id. */
  id: z.string(),
  incident: z.string(),
  cluster: z.string(),
  remediation: z.string(),
  title: z.string(),
  object: objectReference,
  state: incidentState,
  because: z.string(),
  at: z.iso.datetime({ offset: true }),
  detectedAt: z.iso.datetime({ offset: true }),
  planHash: z.string().optional(),
  /** `truncated: true`: it was too large for a bus; the oldest and the longest parts are left out. */
  record: z.record(z.string(), z.unknown()),
});
export type IncidentChanged = z.infer<typeof incidentChanged>;

export const INCIDENT_CHANGED = 'Incident Changed';
