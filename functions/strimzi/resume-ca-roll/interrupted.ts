import satisfies from 'semver/functions/satisfies.js';
import { milliseconds } from '../../../shared/duration.ts';
import { allLive } from '../../../shared/evidence.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { clear, fix, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { operatorVersion } from '../operator.ts';
import { markAll } from './mark.ts';
import { annotation, KAFKAS, type Roll } from './roll.ts';
import { standing } from './tell.ts';
import type { Hinted, Memory } from './trust.ts';
import { findUnproven } from './unproven.ts';

const AFFECTED = '>=0.36.0 <0.45.0';
/** A restarted operator has its lease within half of this; what is not proven then stays so. */
const RESTART = milliseconds('1m');

/** The operator died and left stale pods: marks them when every one is proven to trust the new CA, and does nothing when one is not. */
export async function interrupted(roll: Roll, remember: Memory, examination: Examination<Hinted>): Promise<Verdict> {
  const { cluster, incident, now } = examination;
  const { generation, previous, number } = roll;
  const kafka = await cluster.get({ ...incident.object, ...KAFKAS });
  if (!kafka || kafka.metadata.deletionTimestamp) return clear('the Kafka resource is gone');
  if (annotation(kafka, 'strimzi.io/pause-reconciliation') === 'true')
    return wait('somebody paused the reconciliation of this Kafka', '30s', remember);
  const operator = await operatorVersion(kafka, examination);
  if (typeof operator !== 'string') return operator;
  if (!satisfies(operator, AFFECTED)) return clear(`Strimzi ${operator} does not have this defect`);

  const { proofs, unproven, hopeless } = await findUnproven(roll, kafka, remember, examination);
  const { seen, certificate, trustedAt } = remember;
  if (unproven.length > 0 || trustedAt === null || seen === null) {
    const because = `roll ${number} was interrupted, and not every pod is proven to trust key generation ${generation}: ${unproven.join('; ')}`;
    const isLasting = hopeless || now - (seen?.since ?? now) >= RESTART;
    return isLasting ? report(because, standing(roll, unproven, remember.operator)) : wait(because, '1s', remember);
  }
  const leader = { holder: seen.holder, renewTime: seen.renewTime };
  return fix(`the operator died in roll 1, and every pod trusts key generation ${generation} already`, {
    evidence: allLive({ generation, certificate, operator, leader, trustedAt: new Date(trustedAt).toISOString(), pods: proofs }),
    steps: markAll(roll),
    advice: [
      `To take it back while no operator runs: set it to ${previous} again on the pods and in the StrimziPodSets; all pods are then rolled again`,
    ],
  });
}
