import type { Pattern } from '../events/pattern.ts';
import type { Read } from './cluster.ts';
import type { LockedStep, Written } from './incident.ts';
import type { Plan } from './plan.ts';
import type { Fact, Limits, Question } from './remediation.ts';
import type { Verdict } from './verdict.ts';

/** May kubemend write? `shadow`: plan only. `approve`: after a person agreed to the plan's hash. `auto`: yes. */
export type Mode = 'shadow' | 'approve' | 'auto';

/** What can happen to an incident. `effect` names the work this is the result of. */
export type Input =
  | { kind: 'fact'; fact: Fact }
  | { kind: 'due'; token: number }
  | { kind: 'approve'; hash: string; by: string }
  /** `hash`: only this plan is meant. */
  | { kind: 'reject'; by: string; because: string; hash?: string }
  /** Not now: nobody is asked before `until` (milliseconds); then it is looked at anew. */
  | { kind: 'snooze'; hash: string; by: string; until: number }
  /** Look again now, and make a new plan. */
  | { kind: 'rerun'; by: string }
  /** The same plan once more, if it still holds. */
  | { kind: 'retry'; hash: string; by: string }
  /** Write back what was there before. */
  | { kind: 'undo'; by: string }
  | ({ kind: 'examined'; effect: string } & Examined)
  | { kind: 'doubt'; effect: string; question: Question; because: string }
  /** `open`: kubemend's own words, and nothing in them was read from an object. */
  | { kind: 'withheld'; effect: string; because: string; again?: number | undefined; open?: true }
  /** Stored before the request of a step is sent: from then on it may have been. */
  | { kind: 'writing'; step: number }
  /** The request of a step has no answer. `until`: when it is looked for again. `ended`: the process that sent it is gone. `missing`: it is not there. */
  | { kind: 'unanswered'; effect: string; because: string; until: number; ended?: true; missing?: true }
  /** It cannot take effect any more, and was not found. `overtaken`: why it could not be found even if it did. */
  | { kind: 'not-found'; effect: string; overtaken?: string | undefined }
  /** A request that was given up took effect after all. */
  | { kind: 'took-effect'; effect?: string; planHash: string; preparedAt: number; written: Written }
  /** The cluster of the incident is not in the configuration any more. */
  | { kind: 'cluster-removed'; effect: string; because: string }
  /** `plan`: the way back, which is made only now. */
  | { kind: 'prepared'; effect: string; steps: LockedStep[]; reads: Read[]; plan?: Plan }
  | { kind: 'written'; effect: string; written: Written }
  /** `sent`: the API server refused the write itself. */
  | { kind: 'conflict'; effect: string; because: string; sent?: true | undefined }
  | { kind: 'broken'; effect: string; because: string }
  | { kind: 'done'; effect: string };

/** A person's word. */
export type Word = Extract<Input, { by: string }>;

/** An answer of `examine` with what it rests on. */
export interface Examined {
  question: Question;
  verdict: Verdict;
  plan?: Plan | undefined;
  /** `clear`, and everything is as the plan that was not written would have left it. */
  byHand?: true | undefined;
  reads: Read[];
}

/** What the transition may know besides the incident: the time, the rule and its limits, the mode that decides about the plan (`effectiveMode`). */
export interface Context {
  now: number;
  limits: Limits;
  when: Pattern[];
  mode: Mode;
}
