import { hasEnded, type Incident, wasFailure } from '../incident.ts';
import type { Record as Statistics } from '../statistics.ts';

/** Which incidents are meant. */
export interface IncidentFilter {
  /** Only those that have not ended. */
  open?: boolean | undefined;
  /** Only what was more than a suspicion (`wasFailure`). */
  failures?: boolean | undefined;
}

/** What kubemend must not forget. Every write is conditional; an implementation that cannot answer throws, and then nothing is written anywhere. */
export interface State {
  /** The newest incident of a key. */
  latest(key: string): Promise<Incident | undefined>;
  /** An incident by its id, or by a prefix of at least 4 digits that names only one. */
  load(id: string): Promise<Incident | undefined>;
  /** Stores a revision if `expected` (0: none) is the stored one; false when somebody was faster. */
  save(incident: Incident, expected: number): Promise<boolean>;
  /** Newest first, 1,000 at most unless `limit` says otherwise. `unfinished`: with work in the outbox. */
  list(filter?: IncidentFilter & { unfinished?: boolean; limit?: number }): Promise<Incident[]>;
  /** How many there are. */
  count(filter?: IncidentFilter): Promise<number>;
  /** The ids that begin with at least 4 hex digits, in their order. */
  idsLike(prefix: string, limit: number): Promise<string[]>;
  /** How each remediation was judged, over all incidents that are kept. */
  statistics(): Promise<Statistics[]>;
  /** What nobody does any more, the longest left first: work in an outbox that was last touched before `touched`, and looks that were due before `due`, or are due only after `beyond`: a clock that ran ahead may have set these. */
  left(before: { touched: number; due: number; beyond?: number }, limit?: number): Promise<Incident[]>;

  /** Takes or renews a lease until `until`; false while another owner holds it. One that ends later than MAX_LEASE_MS from now was taken by a clock that ran ahead, and holds nobody back. */
  lease(name: string, owner: string, until: number, now: number): Promise<boolean>;
  release(name: string, owner: string): Promise<void>;

  /** An execution that was counted in the future counts from now on. Counts an execution against a budget once, however often it is asked; false when `limit` executions since `since` are spent. */
  spend(spending: { scope: string; execution: string; at: number; since: number; limit: number }): Promise<boolean>;

  /** Counts an ineffective fix against a breaker, once per incident. */
  tally(scope: string, incident: string): Promise<void>;
  tallied(scope: string): Promise<number>;
  /** Every scope that counted one, with how many: what people are shown, and what a resume closes. */
  tallies(): Promise<Record<string, number>>;
  /** Closes the breakers whose scope is `scope` or begins with `scope/`. */
  reset(scope: string): Promise<void>;

  /** What people set: `mode/<remediation>`, `mode/<remediation>/<namespace>`, `paused`, `paused/<remediation>`. */
  setting(name: string): Promise<string | undefined>;
  set(name: string, value: string | undefined): Promise<void>;
  settings(): Promise<Record<string, string>>;
}

/** Whether an incident is among those that a filter means. */
export const isMeant = (incident: Incident, { open, failures }: IncidentFilter): boolean =>
  (!open || !hasEnded(incident.state)) && (!failures || wasFailure(incident));

/** What was left, the longest first: since its outbox was touched, or since its look was due. */
export const byAge = (incidents: Incident[]): Incident[] => {
  const since = ({ effects, updatedAt, look }: Incident): number => (effects.length > 0 ? updatedAt : (look?.at ?? updatedAt));
  return incidents.toSorted((a, b) => since(a) - since(b) || (a.id < b.id ? -1 : 1));
};
