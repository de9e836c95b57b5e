import { milliseconds } from '../../../../shared/duration.ts';
import { allLive } from '../../../../shared/evidence.ts';
import { targetOf } from '../../../../shared/plan.ts';
import { fix } from '../../../../shared/verdict.ts';
import { type Case, evidenceOf } from '../case.ts';

/** 1.x, 0.9: names of operations, separated by commas. */
const DEPENDS = ['operations.kubeblocks.io/dependent-on-successful-ops', 'ops.kubeblocks.io/dependent-on-successful-ops'];

/** KubeBlocks #10118: any type. */
export const pendingBehindDependency: Case = {
  issue: '#10118',
  affects: 'up to 1.0.2 and 1.1.0-beta.5; fixed in 1.0.3-beta.3 and 1.1.0-beta.6',
  because: 'the operation holds the Cluster and waits for another that waits for the Cluster behind it',
  phases: ['Pending'],
  ask(situation) {
    const { op, opReference, queue, others, age } = situation;
    const depends = DEPENDS.flatMap((key) => op.metadata.annotations?.[key]?.split(',') ?? []).map((name) => name.trim());
    const at = queue.findIndex(({ name, inQueue }) => name === op.metadata.name && !inQueue);
    if (at < 0 || depends.length === 0 || age < milliseconds('30s') || op.metadata.deletionTimestamp) return undefined;
    const behind = depends.filter((dependency) => {
      const waits = others.find(({ metadata }) => metadata.name === dependency)?.status?.phase === 'Pending';
      return waits && queue.findIndex(({ name, inQueue }) => name === dependency && inQueue) > at;
    });
    if (behind.length === 0) return undefined;
    return fix(`it waits for ${behind.join(', ')}, which waits behind it (${this.issue})`, {
      evidence: allLive({ remedy: 'delete', ...evidenceOf(this, situation), dependsOn: behind }),
      // It is somebody's request: it has to be made again, after its dependency.
      approval: 'always',
      steps: [
        {
          kind: 'delete',
          target: targetOf(opReference, op),
          reason: `delete it, so that ${behind.join(', ')} can run; make it again afterwards`,
        },
      ],
    });
  },
};
