import { type Examination, remediation } from '../../../shared/remediation.ts';
import { clear, type Verdict, wait } from '../../../shared/verdict.ts';
import { whenObjectChanged } from '../../../shared/when.ts';
import { afterCancel } from './cancel-and-retry.ts';
import { CASES } from './cases.ts';
import { look, type Situation } from './situation.ts';
import { onlyKnownVersion } from './unknown-version.ts';
import { verify } from './verify.ts';
import { CLUSTER_WRITES, operationWrites } from './writes.ts';

const WORKING = ['Pending', 'Creating', 'Running', 'Cancelling'];
const ENDED = ['Succeed', 'Failed', 'Cancelled', 'Aborted'];
/** 1.x and 0.9. */
const GROUPS = ['operations.kubeblocks.io', 'apps.kubeblocks.io'];
const APPS = 'apps.kubeblocks.io';

export default remediation({
  title: 'Unstick a KubeBlocks OpsRequest that can never end',
  cause: {
    issue: 'apecloud/kubeblocks#9000 (and its family: #9790, #9779, #9908, #9966, #10118, #10112, #9733, #9540, #8417, #8372 …)',
    affects: 'KubeBlocks 0.9.0 to 1.0.2, each case its own versions',
    because:
      'The controller waits for something it has already decided never to do: a pod that no replica count asks for, a count of zero, an order that cannot be kept. Nothing is written any more, and every later operation on the Cluster waits.',
  },
  when: GROUPS.map((group) =>
    whenObjectChanged(
      { group, resource: 'opsrequests' },
      {
        $or: [
          { current: { status: { phase: WORKING } } },
          // The moment it ended: some end without what was asked for.
          { current: { status: { phase: ENDED } }, previous: { status: { phase: WORKING } } },
        ],
      },
    ),
  ),
  rights: [
    { group: 'operations.kubeblocks.io', resources: ['opsrequests'], verbs: ['get', 'list'] },
    { group: APPS, resources: ['opsrequests'], verbs: ['get', 'list'] },
    { group: APPS, resources: ['clusters'], verbs: ['get'] },
    { group: APPS, resources: ['components'], verbs: ['get'] },
    { group: 'workloads.kubeblocks.io', resources: ['instancesets'], verbs: ['list'] },
    { group: 'dataprotection.kubeblocks.io', resources: ['backups'], verbs: ['get'] },
    { group: 'parameters.kubeblocks.io', resources: ['parameters'], verbs: ['get'] },
    { group: 'batch', resources: ['jobs'], verbs: ['list'] },
    { group: '', resources: ['pods', 'events'], verbs: ['list'] },
  ],
  writes: GROUPS.flatMap(operationWrites).concat(CLUSTER_WRITES),
  limits: { confirmAfter: '30s', settleWithin: '10s', stableFor: '15s', verifyWithin: '15m' },

  async examine(examination): Promise<Verdict> {
    const situation = await look(examination);
    if (!situation) return clear('the operation is gone');
    const { fixed, written } = examination.incident;
    const second = afterCancel(situation, written);
    if (second) return onlyKnownVersion(second, situation);
    if (examination.question === 'verify' && fixed) return verify(situation, fixed);
    const verdict = (await known(situation)) ?? nothingKnown(situation, examination);
    return onlyKnownVersion(verdict, situation);
  },
});

/** Asks the cases in order: the first that knows it answers. */
async function known(situation: Situation): Promise<Verdict | undefined> {
  const { op, phase } = situation;
  for (const one of CASES) {
    if (!one.phases.includes(phase) || (one.types && !one.types.includes(op.spec.type))) continue;
    const verdict = await one.ask(situation);
    if (verdict) return verdict;
  }
  return undefined;
}

/** Working, as far as anybody can see. A stuck operation is silent and so is a working one: it is looked at again, ever less often. */
function nothingKnown({ op, phase, age }: Situation, { incident }: Examination): Verdict {
  if (ENDED.includes(phase)) return clear(`the operation ended: ${phase}`);
  const { name } = incident.object;
  return wait(
    `${op.spec.type} ${name} is ${phase || 'new'}: nothing known keeps it`,
    age < 300_000 ? '15s' : age < 3_600_000 ? '1m' : '10m',
  );
}
