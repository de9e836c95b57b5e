import * as z from 'zod';
import type { KubernetesObject } from './object.ts';

const stored = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    deletionTimestamp: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    managedFields: z.array(z.looseObject({ manager: z.string().optional(), operation: z.string().optional() })).optional(),
  }),
});

/** The object of this name in the body of an answer; undefined: the body is something else, whatever the status says. */
export function objectIn(body: unknown, { name }: { name: string }): KubernetesObject | undefined {
  const { success, data } = stored.safeParse(body);
  return success && data.metadata.name === name ? (body as KubernetesObject) : undefined;
}
