import { milliseconds } from '../../../shared/duration.ts';
import type { Evidence } from '../../../shared/evidence.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { report, type Verdict, wait } from '../../../shared/verdict.ts';
import type { Unknown } from './identify.ts';

/** An upgrade, or the window that still names the operator before it, is over by then. */
const PATIENCE = '15m';

/** What was found although the operator's version is unknown. */
export interface Finding {
  because: string;
  evidence?: Evidence;
  advice?: string[];
}

/** The answer while no release is certain: a wait where that may pass, then a report that says what was found and what prevents the fix. */
export function withoutVersion(unknown: Unknown, finding: Finding, { incident, now }: Pick<Examination, 'incident' | 'now'>): Verdict {
  if (unknown.passes && now - incident.detectedAt < milliseconds(PATIENCE)) return wait(unknown.because, '15s');
  const { because, evidence = {}, advice = [] } = finding;
  return report(`${because}. No fix is planned, because ${unknown.because}`, { evidence: { ...evidence, ...unknown.evidence }, advice });
}
