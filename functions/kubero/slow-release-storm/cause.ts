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
  const running = operators.filter((operator) => operator.running);
  // One that is scaled to zero beside one that runs upgrades nothing.
  const judged = running.length > 0 ? running : operators;
  const unknown = judged.length === 0 || judged.some(({ version }) => version === undefined);
  const old = judged.some(({ version = '' }) => isWithin(version, '<0.1.5-0'));
  const { written, ms } = periodOf(pipeline, old || unknown);
  if (ms === undefined) {
    const reason = `its annotation ${RECONCILE_PERIOD}: ${written} is not a duration above zero, so the operator no longer reconciles it`;
    return report(reason, { evidence: allLive({ period: written }), advice: [`Set the annotation to ${SLOW}, or remove it`] });
  }
  const mode = (spec.registry as { createSecret?: string } | null | undefined)?.createSecret ?? 'no createSecret';
  const certain = mode === 'copy' || old;
  if (spec.deploymentstrategy !== 'git') {
    return clear(`its chart looks up no credentials (deployment strategy ${spec.deploymentstrategy ?? 'not set'})`);
  }
  return certain || unknown ? { mode, certain, period: { written, ms } } : clear(`its chart looks up no credentials (${mode})`);
}

export const isWithin = (version: string, range: string): boolean => satisfies(version, range, { includePrerelease: true });
