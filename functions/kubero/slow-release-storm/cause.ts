import satisfies from 'semver/functions/satisfies.js';
import { allLive } from '../../../shared/evidence.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { clear, report, type Verdict } from '../../../shared/verdict.ts';
import type { Operator } from '../operator.ts';
import { periodOf, RECONCILE_PERIOD, SLOW } from './reconcile-period.ts';

/** Why a pipeline is upgraded at every reconciliation, and how often that is. */
export interface Cause {
  /** `spec.registry.createSecret` */
  mode: string;
  /** False when only an operator of an unknown version would look credentials up in this mode. */
  certain: boolean;
  period: { written: string; ms: number };
}

/**
 * The cause, or a verdict where it is absent. A chart looks credentials up in mode copy; up to 0.1.4 it does so in every mode, and an
 * operator of unknown version may be as old.
 */
export function causeOf(pipeline: KubernetesObject, operators: Operator[]): Cause | Verdict {
  const { spec = {} } = pipeline;
  const unknown = operators.length === 0 || operators.some(({ version }) => version === undefined);
  const old = operators.some(({ version = '' }) => isWithin(version, '<0.1.5-0'));
  const { written, ms } = periodOf(pipeline, old || unknown);
  if (ms === undefined) {
    const reason = `its annotation ${RECONCILE_PERIOD}: ${written} is no duration, so the operator reconciles it no more`;
    return report(reason, { evidence: allLive({ period: written }), advice: [`Set the annotation to ${SLOW}, or remove it`] });
  }
  const mode = (spec.registry as { createSecret?: string } | null | undefined)?.createSecret ?? 'no createSecret';
  const certain = mode === 'copy' || old;
  if (spec.deploymentstrategy !== 'git') {
    return clear(`its chart looks no credentials up (deployment strategy ${spec.deploymentstrategy ?? 'not set'})`);
  }
  return certain || unknown ? { mode, certain, period: { written, ms } } : clear(`its chart looks no credentials up (${mode})`);
}

export const isWithin = (version: string, range: string): boolean => satisfies(version, range, { includePrerelease: true });
