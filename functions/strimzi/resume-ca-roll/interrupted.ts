import satisfies from 'semver/functions/satisfies.js';
import { milliseconds } from '../../../shared/duration.ts';
import { allLive } from '../../../shared/evidence.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { clear, fix, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { identify } from '../operator/identify.ts';
import { withoutVersion } from '../operator/without-version.ts';
import type { Writers } from '../operator/writers.ts';
import { markAll } from './mark.ts';
import { annotation, KAFKAS, type Roll } from './roll.ts';
import { standing } from './tell.ts';
import type { Memory } from './trust.ts';
import { findUnproven } from './unproven.ts';

const AFFECTED = '>=0.36.0 <0.45.0';
/** A restarted operator has its lease within half of this; what is not proven then stays so. */
const RESTART = milliseconds('1m');

/** The operator died and left stale pods: marks them when every one is proven to trust the new CA, and does nothing when one is not. */
export async function interrupted(roll: Roll, remember: Memory, examination: Examination<Writers>): Promise<Verdict> {
  const { cluster, incident, now } = examination;
  const { generation, previous, number } = roll;
  const kafka = await cluster.get({ ...incident.object, ...KAFKAS });
  if (!kafka || kafka.metadata.deletionTimestamp) return clear('the Kafka resource is gone');
  if (annotation(kafka, 'strimzi.io/pause-reconciliation') === 'true')
    return wait('somebody paused the reconciliation of this Kafka', '30s', remember);
  const operator = await identify(kafka, examination);
  if (operator.version === undefined) {
    const because = `roll ${number} to key generation ${generation} was interrupted`;
    return withoutVersion(operator, { because, ...standing(roll, [], remember.operator) }, examination);
  }
  const { version } = operator;
  if (!satisfies(version, AFFECTED)) return clear(`Strimzi ${version} does not have this defect`);

  const { trustedAt, proofs, unproven, hopeless } = await findUnproven(roll, kafka, remember, examination);
  const { seen, certificate } = remember;
  if (unproven.length > 0 || trustedAt === undefined || seen === null) {
    const because = `roll ${number} was interrupted, and not every pod is proven to trust key generation ${generation}: ${unproven.join('; ')}`;
    const isLasting = hopeless || now - (seen?.since ?? now) >= RESTART;
    return isLasting ? report(because, standing(roll, unproven, remember.operator)) : wait(because, '1s', remember);
  }
  const leader = { holder: seen.holder, renewTime: seen.renewTime };
  return fix(`the operator died in roll 1, and every pod trusts key generation ${generation} already`, {
    evidence: allLive({ generation, certificate, operator: version, leader, trustedAt: new Date(trustedAt).toISOString(), pods: proofs }),
    steps: markAll(roll),
    advice: [
      `To take it back while no operator runs: set it to ${previous} again on the pods and in the StrimziPodSets; all pods are then rolled again`,
    ],
  });
}
