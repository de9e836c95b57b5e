import type { AuditRecord } from '../audit/audit-record.ts';

/**
 * What the answer to a write request says about storage.
 *
 * - `stored` (2xx): an authorized request reached storage, or found that nothing changes.
 * - `unknown` (5xx that the API server authorized): for example 504, after which the write may still have been stored.
 * - `rejected` (everything else): the API server stored nothing. 401 and 403 are decided before any handler; 400, 404, 405, 406, 409, 410, 413,
 *   415, 422 and 429 end the request before its object is committed; a redirect stores nothing. A 5xx without the annotation
 *   `authorization.k8s.io/decision: allow` proves no authorization: a client gets a 504 for any request by sending `?timeout=1us`.
 */
export type Outcome = 'stored' | 'unknown' | 'rejected';

/** Only the stages ResponseComplete and Panic (500) become records: before them there is no answer. */
export function outcomeOf({ code, allowed }: Pick<AuditRecord, 'code' | 'allowed'>): Outcome {
  if (code >= 200 && code < 300) return 'stored';
  return code >= 500 && allowed === true ? 'unknown' : 'rejected';
}
