import { asRecord } from '../as-record.ts';
import type { AuditRecord } from '../audit/audit-record.ts';

/** The field manager of every write kubemend makes. */
const OWN_MANAGER = 'kubemend';

/** True for a request by kubemend itself: its field manager, or a user (also behind impersonation) with one of the prefixes. */
export const isOwnRequest = ({ user, impersonator, fieldManager }: AuditRecord, ownUsers: string[]): boolean =>
  fieldManager === OWN_MANAGER || ownUsers.some((prefix) => user.startsWith(prefix) || impersonator?.startsWith(prefix) === true);

/**
 * True when kubemend's entry in managedFields is what moved: the API server stamps the entry of whoever sets a field.
 * Simpler than pairing with audit, needs no audit, and exact in a storm. Two limits: a second own write within the same second, and
 * an own write that only removes fields (no entry is stamped), look like somebody else's single change. Own deletes are paired with audit.
 */
export function isOwnChange(before: unknown, after: unknown): boolean {
  const entries = managedFields(after);
  const own = entries.filter(({ manager }) => manager === OWN_MANAGER);
  if (before === undefined) {
    const others = entries.filter(({ manager }) => manager !== OWN_MANAGER);
    return own.some(({ time }) => others.every((other) => other.time < time));
  }
  const known = new Set(managedFields(before).map(identity));
  return own.some((entry) => !known.has(identity(entry)));
}

interface ManagerEntry {
  manager: string;
  operation: string;
  subresource: string;
  time: string;
}

const identity = ({ manager, operation, subresource, time }: ManagerEntry): string => `${manager} ${operation} ${subresource} ${time}`;

function managedFields(object: unknown): ManagerEntry[] {
  const { managedFields: entries } = asRecord(asRecord(object).metadata);
  return (Array.isArray(entries) ? entries : []).map((entry) => {
    const { manager, operation, subresource, time } = asRecord(entry);
    return { manager: String(manager), operation: String(operation), subresource: String(subresource ?? ''), time: String(time) };
  });
}
