import type { Coverage, Envelope } from '../../fact.ts';
import type { ObjectHead } from '../watch/watch-event.ts';

/** What the counter asks of the reducer around it. Times in milliseconds. */
export interface CounterContext {
  cluster: string;
  /** Most written objects counted at once. */
  keyCap: number;
  /** Most entries of all written objects. */
  entryCap: number;
  /** Seconds, ascending; none when nobody counts this resource. */
  windowsFor(group: string, resource: string): number[];
  /** Whether any audit record was ever seen in this cluster. */
  hasAudit(): boolean;
  /** Whether the watch on `group/resource` missed nothing around this moment. */
  isWatched(stream: string, at: number): boolean;
  lastSeen(key: string): ObjectHead | undefined;
  /** Names of the Writes Counted rules that a fact with this window matches. */
  matching(detail: Envelope['detail'], seconds: number): string[];
  coverage(stream: string, from: number, to: number): Coverage;
}
