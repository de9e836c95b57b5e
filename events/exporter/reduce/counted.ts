import type { AuditRecord } from '../audit/audit-record.ts';
import type { Change } from './known-objects.ts';

/** A request with the name of its object. */
export type NamedRecord = AuditRecord & { name: string };

/** One thing that moved the windows: kept in the spool, so that a restart can rebuild them. Times in milliseconds. */
export type Counted =
  | { kind: 'request'; record: NamedRecord }
  | { kind: 'own-delete'; record: NamedRecord }
  | { kind: 'change'; at: number; change: CountedChange }
  | { kind: 'gap'; stream: string; from: number; to: number }
  /** Everything up to this time was dropped from the spool to make room. */
  | { kind: 'forgotten'; to: number };

/** What counting needs of a change: neither state. */
export type CountedChange = Pick<Change, 'resource' | 'head' | 'change' | 'phantom' | 'generationMoved'>;

/** When it happened: when it is too old for every window, it may be forgotten. */
export function timeOf(counted: Counted): number {
  if (counted.kind === 'request' || counted.kind === 'own-delete') return counted.record.at;
  return counted.kind === 'change' ? counted.at : counted.to;
}

/** In place of a `group/resource`: the gap concerns all audit, or everything. */
export const ALL_AUDIT = 'audit';
export const EVERYTHING = '*';

/** The stream of a resource: its watch, and its audit records. */
export const streamOf = ({ group, resource }: { group: string; resource: string }): string => `${group}/${resource}`;

/** Whether a request names one object. */
export const isNamed = (record: AuditRecord): record is NamedRecord => record.name !== undefined;
