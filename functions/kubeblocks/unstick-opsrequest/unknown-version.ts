import { report, type Verdict } from '../../../shared/verdict.ts';
import type { Situation } from './situation.ts';

/** Leaves a fix as it is only where the version of KubeBlocks is known: a build of unknown behaviour gets a report with the same finding. */
export function onlyKnownVersion(verdict: Verdict, { kubeblocks }: Situation): Verdict {
  if (verdict.kind !== 'fix' || kubeblocks !== undefined) return verdict;
  const { because, evidence, steps, advice = [] } = verdict;
  const obstacle = 'the version of KubeBlocks is unknown: the status of the operation does not name a release as its field manager';
  const byHand = `Where this build behaves like KubeBlocks 1.0: ${steps.map(({ reason }) => reason).join('; ')}`;
  return report(`${because}. kubemend does not write, because ${obstacle}`, { evidence, advice: [byHand, ...advice] });
}
