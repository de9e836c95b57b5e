import type { Json } from './canonical.ts';
import type { Duration } from './duration.ts';
import type { Evidence, FixEvidence } from './evidence.ts';
import type { Step } from './plan.ts';

/** What `examine` answers. */
export type Verdict = Clear | Wait | Report | Fix;

export interface Clear {
  kind: 'clear';
  because: string;
}
export interface Wait {
  kind: 'wait';
  because: string;
  again: Duration;
  remember?: Json;
}
export interface Report {
  kind: 'report';
  because: string;
  evidence: Evidence;
  /** What a person can do, one action a line. */
  advice: string[];
}
export interface Fix {
  kind: 'fix';
  because: string;
  evidence: FixEvidence;
  steps: Step[];
  /** `always`: a person agrees first, also in `auto`, because what is written cannot be made good. */
  approval?: 'always';
  /** This is the next plan of the same repair: its first is written and had its effect. Its own plan, confirmed and approved like any other. */
  continues?: true;
  /** What a person could do instead or besides, one action a line. */
  advice?: string[];
  /** Known after-effects of this fix, where only `examine` can know how long they last; else the remediation's limit. */
  settleWithin?: Duration;
}

/** Not the failure, or no longer. */
export const clear = (because: string): Clear => ({ kind: 'clear', because });

/** Not decidable yet: look again after `again`, with what was remembered. */
export const wait = (because: string, again: Duration, remember?: Json): Wait => ({
  kind: 'wait',
  because,
  again,
  ...(remember !== undefined && { remember }),
});

/** The failure, but nothing a machine should write: a person is told what was found and what can be done. */
export const report = (because: string, { evidence = {}, advice = [] }: { evidence?: Evidence; advice?: string[] } = {}): Report => ({
  kind: 'report',
  because,
  evidence,
  advice,
});

/** The failure, proven, with the steps that remove its cause. */
export const fix = (because: string, plan: Omit<Fix, 'kind' | 'because'>): Fix => ({ kind: 'fix', because, ...plan });
