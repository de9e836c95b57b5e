import * as z from 'zod';
import { factBase } from './fact.ts';

/** A watch event, projected: no field of the object leaves the cluster unless a rule names it. Source `kubernetes`. */
export const objectChanged = z.object({
  ...factBase,
  change: z.enum(['added', 'modified', 'deleted']),
  /** JSON pointers (RFC 6901) that differ from the object before; array elements by index. At most 100. */
  changed: z.array(z.string()),
  /** Only resourceVersion, managedFields and condition times moved, and generation equals status.observedGeneration. */
  phantom: z.boolean(),
  current: z.record(z.string(), z.unknown()).optional(),
  previous: z.record(z.string(), z.unknown()).optional(),
});
export type ObjectChanged = z.infer<typeof objectChanged>;

export const OBJECT_CHANGED = 'Object Changed';
