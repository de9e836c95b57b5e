import type { ObjectReference } from '../events/fact.ts';
import type { IncidentState } from '../events/incident-changed.ts';
import type { Json } from './canonical.ts';
import type { Read } from './cluster.ts';
import type { Plan } from './plan.ts';
import type { Fact, Question } from './remediation.ts';
import type { Verdict } from './verdict.ts';

/** One failure on one object over its whole life: the durable record, and its history the audit trail. Plain JSON; times in milliseconds. */
export interface Incident {
  /** 12 hex digits: which failure on which object, and the how-manieth. */
  id: string;
  /** `<cluster>/<remediation>/<uid>`: at most one incident of a key is open. */
  key: string;
  ordinal: number;
  cluster: string;
  remediation: string;
  object: ObjectReference;
  /** Rises with every stored change: the condition of every write of this record. */
  revision: number;
  state: IncidentState;
  because: string;
  detectedAt: number;
  updatedAt: number;
  fact: Fact;
  /** Ids of the newest facts: a fact that was delivered twice is nothing new. */
  factIds: string[];
  memory?: Json | undefined;
  examinedAt?: number | undefined;
  /** Examinations in a row that ended in doubt. */
  doubts: number;
  /** The look that is scheduled, and when it was; an older one that comes late is ignored. Milliseconds. */
  look?: { at: number; token: number; set?: number } | undefined;
  /** The newest wake-up for what is left in the outbox, and how long it waits; none is put while one is on its way. Milliseconds. */
  wake?: { at: number; after: number } | undefined;
  plan?: Plan | undefined;
  /** Times the plan changed before it could be confirmed. */
  changes: number;
  /** Writes that the API server refused although it took their dry run. */
  refusals?: number | undefined;
  approval?: { hash: string; by: string; at: number } | undefined;
  execution?: Execution | undefined;
  /** A person put it off: facts are kept, and looked at then. Milliseconds. */
  snoozedUntil?: number | undefined;
  /** Plans of this repair that were written before the one that stands here, and what was written of each. */
  past?: Done[] | undefined;
  /** Executions with a step whose answer never came and that was not found in the cluster; each is looked for again before anything else is decided. */
  unanswered?: Unanswered[] | undefined;
  /** The incident that ended before, of which a person wanted this one. */
  after?: string | undefined;
  /** The plan of the incident before, once more: it is carried out as it is or not at all. */
  retry?: true | undefined;
  undo?: Undo | undefined;
  /** Undos before that one, and what was written back of each. */
  undone?: Done[] | undefined;
  /** It was over before the plan was written, and the cluster was as the plan would have left it: a person did the same. */
  byHand?: true | undefined;
  verification?: { appliedAt: number; settledAt: number; deadline: number; clearSince?: number | undefined } | undefined;
  /** What is still to be done for this revision, in order: the outbox that survives a crash. */
  effects: Effect[];
  history: Entry[];
}

/** A plan and what was written of it. */
export interface Done {
  plan: Plan;
  execution: Execution;
}

/** The way back: a plan of inverse steps, made when it is prepared. */
export interface Undo {
  by: string;
  /** The state it was asked in, and returns to when nothing can be undone. */
  from: IncidentState;
  /** Times it was prepared and then not even tried, or had to wait for its targets. */
  tries?: number | undefined;
  plan?: Plan | undefined;
  execution?: Execution | undefined;
}

/** A plan on its way: what is locked, what is written. */
export interface Execution {
  preparedAt: number;
  steps: LockedStep[];
  /** The step whose request may have been sent: set before it is, until its result is known. */
  attempted?: Attempt | undefined;
  written: Written[];
}

/** A request that may have been sent, and whose answer is not known. Times in milliseconds. */
export interface Attempt {
  step: number;
  /** When it was stored; the request is sent directly after that, or not at all. */
  at: number;
  /** From then on it can no longer take effect. Set by whoever first misses the answer, so no two clocks are compared. */
  until?: number | undefined;
  /** What the process that sent it got instead of an answer; absent when that process ended. */
  reason?: string | undefined;
  tries?: number | undefined;
  /** It was not there when it could no longer take effect: one more read, a little later, has to say the same. */
  missing?: true | undefined;
}

/** An execution whose attempted step was not found in the cluster. */
export interface Unanswered extends Done {
  /** The one who asked for it, where it was an undo. */
  by?: string | undefined;
  /** The object changed since under another hand: the request can no longer take effect. Whether it did is not known. */
  overtaken?: true | undefined;
}

/** A step of the plan with the lock taken from the reads directly before writing. */
export interface LockedStep {
  /** Index into the plan's steps. */
  index: number;
  /** Absent only where nothing existed to lock (create). */
  resourceVersion?: string | undefined;
  /** When the API server had last noted a write of ours on it. */
  stamp?: string | undefined;
  /** Where the object as it was before is kept, for `undo`. */
  backup?: { artifact: string; sha256: string } | undefined;
}

/** One write that happened. `found`: a re-run found it already there and did not repeat it. */
export interface Written {
  index: number;
  at: number;
  how: 'wrote' | 'found';
  resourceVersion?: string | undefined;
}

/** One line of the audit trail. */
export interface Entry {
  at: number;
  state: IncidentState;
  because: string;
  question?: Question;
  verdict?: Verdict;
  planHash?: string;
  by?: string;
  /** Why holds nothing that was read from an object: whoever sees the object's Events may see it. */
  open?: true | undefined;
  reads?: Read[];
}

/** Work the shell does for an incident. The id says which revision asked for it, so a result that comes twice is recognised. */
export type Effect = { id: string } & (
  | { kind: 'examine'; question: Exclude<Question, 'before-write'> }
  | { kind: 'look'; at: number; token: number; set?: number }
  | { kind: 'prepare' }
  | { kind: 'write'; step: number }
  | { kind: 'count-ineffective' }
  | { kind: 'tell'; state: IncidentState; because: string; at: number }
);

/** States in which nothing more happens by itself. */
const ENDED: readonly IncidentState[] = [
  'verified',
  'ineffective',
  'reverted',
  'cleared',
  'resolved',
  'refused',
  'expired',
  'failed',
  'undone',
];

/** What is being written now: the plan, or the way back. */
export const workOf = ({ state, undo, plan, execution }: Incident): Partial<Done> =>
  state === 'undoing'
    ? { ...(undo?.plan && { plan: undo.plan }), ...(undo?.execution && { execution: undo.execution }) }
    : { ...(plan && { plan }), ...(execution && { execution }) };

/** Everything this incident wrote, oldest first. */
export const doneOf = ({ past = [], plan, execution }: Incident): Done[] =>
  plan && execution && execution.written.length > 0 ? [...past, { plan, execution }] : past;

/** Whether a request of this incident may have taken effect without a record of it. */
export const isUnanswered = (incident: Incident): boolean =>
  (incident.unanswered ?? []).length > 0 || workOf(incident).execution?.attempted !== undefined;

export const hasEnded = (state: IncidentState): boolean => ENDED.includes(state);

/** When somebody has to look at it again, milliseconds. What ended may keep its last look; nobody waits for it. */
export const lookDue = ({ state, look }: Incident): number | undefined => (hasEnded(state) && state !== 'cleared' ? undefined : look?.at);

/** Whether it was ever more than a look: a fact that turned out healthy, or is still waited for, is no failure yet. */
export const wasFailure = ({ state: now, history }: Incident): boolean =>
  [{ state: now }, ...history].some(({ state }) => !['detected', 'waiting', 'cleared'].includes(state));

/** An ended incident takes these facts itself; any other fact after the end opens the next one. */
export function absorbs({ state, updatedAt, history, retry }: Incident, now: number): boolean {
  if (!hasEnded(state) || state === 'cleared') return true;
  // Not `updatedAt`: each absorbed fact moves it, and the quiet would never end.
  const endedAt = history.at(-1)?.at ?? updatedAt;
  // A person's no is good for a day; a gate that was closed, or an hour nobody answered, for an hour. A retry that was refused changes nothing.
  const said = (state === 'refused' || state === 'undone') && history.at(-1)?.by !== undefined;
  const quiet = said ? 24 : (state === 'refused' && !retry) || state === 'expired' ? 1 : 0;
  // An end in the future was set by a clock that ran ahead.
  return Math.abs(now - endedAt) < quiet * 3_600_000;
}
