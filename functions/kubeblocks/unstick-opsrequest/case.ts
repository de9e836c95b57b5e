import type { Json } from '../../../shared/canonical.ts';
import { type Duration, milliseconds } from '../../../shared/duration.ts';
import { allLive } from '../../../shared/evidence.ts';
import { type Report, report, type Verdict } from '../../../shared/verdict.ts';
import type { Situation } from './situation.ts';

/** Why an operation may hang: one defect of KubeBlocks. */
export interface Cause {
  /** `#9000`, of apecloud/kubeblocks. */
  issue: string;
  /** Affected versions, and where it is fixed. */
  affects: string;
  because: string;
}

/** One known way to hang, and what it takes to say so. */
export interface Case extends Cause {
  /** Types of operations it happens to; absent: all. */
  types?: string[];
  /** Phases it shows in. */
  phases: string[];
  /** Undefined: not this one. */
  ask(situation: Situation): Verdict | undefined | Promise<Verdict | undefined>;
}

/** What every verdict about a known cause says of it. */
export const evidenceOf = ({ issue, affects, because }: Cause, { kubeblocks }: Situation): Record<string, Json> => ({
  issue: `apecloud/kubeblocks${issue}`,
  affects,
  cause: because,
  ...(kubeblocks && { kubeblocks }),
});

/** A report about a known cause, with what was found. */
export const tell = (cause: Cause, situation: Situation, because: string, found: Record<string, Json>, advice: string[]): Report =>
  report(`${because} (${cause.issue})`, { evidence: allLive({ ...evidenceOf(cause, situation), ...found }), advice });

/** A case that a machine cannot mend: after `patience` it is reported with its cause and what a person can do. */
export function reportOnly({
  patience,
  found,
  advice,
  ...cause
}: Omit<Case, 'ask'> & {
  /** Healthy operations show the same for a while, and are as silent. */
  patience: Duration;
  /** What shows it; undefined: not this one. */
  found(situation: Situation): { [name: string]: Json } | undefined;
  advice: string[];
}): Case {
  return {
    ...cause,
    ask(situation) {
      const evidence = situation.age >= milliseconds(patience) ? found(situation) : undefined;
      return evidence && tell(cause, situation, `${situation.op.spec.type} does not end: ${cause.because}`, evidence, advice);
    },
  };
}
