import type { Json } from '../../../shared/canonical.ts';
import { allLive } from '../../../shared/evidence.ts';
import { changedWithin } from '../../../shared/kubernetes/recent.ts';
import { mergePatch, targetOf } from '../../../shared/plan.ts';
import { fix, type Verdict, wait } from '../../../shared/verdict.ts';
import { type Cause, evidenceOf, tell } from './case.ts';
import type { Situation } from './situation.ts';

/**
 * Ends an operation whose change is already done: with `timeoutSeconds` 1 the controller aborts it at its next reconcile and lets the
 * queue go on; nothing on the Cluster is reverted. KubeBlocks 0.9 with its webhooks on refuses it: the dry run says so.
 */
export function abort(cause: Cause, situation: Situation, because: string, found: { [name: string]: Json }): Verdict {
  const { op, opReference } = situation;
  const timeout = (op.spec.timeoutSeconds ?? 0) * 1_000;
  if (timeout > 0 && (situation.age < timeout + 30_000 || changedWithin(op, '1m', situation.now)))
    return wait(`${because}; its own timeoutSeconds ends it`, '30s');
  if (timeout > 0) {
    const advice = [
      'Look at the controller log: an operation that fails in every reconcile never reaches its timeout',
      'Delete it and remove its finalizer by hand',
    ];
    return tell(cause, situation, `${because}, and its timeoutSeconds does not end it`, found, advice);
  }
  return fix(`${because} (${cause.issue})`, {
    evidence: allLive({ remedy: 'abort', ...evidenceOf(cause, situation), ...found }),
    steps: [
      mergePatch(targetOf(opReference, op), { spec: { timeoutSeconds: 1 } }, 'let the controller abort the operation: its work is done'),
    ],
  });
}
