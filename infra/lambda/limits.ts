import * as z from 'zod';
import type { Limits } from '../../shared/remediation.ts';

const budget = z.strictObject({ executions: z.int().min(0), within: z.string() });
const count = z.int().min(1);
const limits = z
  .strictObject({
    ...{ confirmAfter: z.string(), settleWithin: z.string(), stableFor: z.string(), verifyWithin: z.string(), expireAfter: z.string() },
    ...{ perObject: budget, perRemediation: budget, overall: budget },
    breakers: z.strictObject({ object: count, remediation: count, overall: count }),
  })
  .partial();

/** Reads KUBEMEND_LIMITS: the limits of one function that replace its definition's, `{"stableFor": "60s"}`; empty text replaces none. Throws. */
export function parseLimits(text: string): Partial<Limits> {
  let value: unknown;
  try {
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw new Error(`KUBEMEND_LIMITS is no JSON: ${(error as Error).message}`);
  }
  const result = limits.safeParse(value);
  if (!result.success) throw new Error(`KUBEMEND_LIMITS is not as it must be: ${z.prettifyError(result.error)}`);
  return result.data as Partial<Limits>;
}
