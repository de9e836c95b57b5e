import { milliseconds } from '../../../../shared/duration.ts';
import { whoWouldRevert } from '../../../../shared/kubernetes/ownership.ts';
import { clear, type Verdict, wait } from '../../../../shared/verdict.ts';
import type { InstanceSet } from '../api.ts';
import { cancelAndRetry } from '../cancel-and-retry.ts';
import { type Case, type Cause, tell } from '../case.ts';
import { hasOrdinals, names, planRaise } from '../names.ts';
import { raiseReplicas } from '../raise-replicas.ts';
import { alsoRunning, isReady, mayRun, type Situation, waitingBehind } from '../situation.ts';
import { type StuckOnline, stuckOnline } from '../stuck-online.ts';

/** KubeBlocks whose names, queue and API this knows. */
const KNOWN = '>=0.9.0-0 <1.2.0-0';
/** More than that at once is somebody's migration: a person looks. */
const MOST = 3;
/** Reports are not confirmed by a second look: a just begun operation is not judged. */
const PATIENCE = milliseconds('20s');

const gap: Cause = {
  issue: '#9457',
  affects: 'all versions: open upstream',
  because:
    'a scale-in lowered the replicas without using up the offline instance: its ordinal lies beyond a gap that another pod would fill',
};

/** KubeBlocks #9000: HorizontalScaling. */
export const lastPodOnline: Case = {
  issue: '#9000',
  affects: '1.0.0-beta to 1.0.0 (fixed in 1.0.1); 0.9.0 to 0.9.3 end without the pod (fixed in 0.9.4)',
  because: 'bringing the highest ordinal online clears offlineInstances and leaves replicas as they are: nobody will create the pod',
  types: ['HorizontalScaling'],
  phases: ['Running', 'Succeed'],
  ask(situation) {
    const [stuck, ...more] = stuckOnline(situation);
    if (!stuck) return undefined;
    if (situation.phase === 'Succeed') return endedWithoutThePod(situation, stuck);
    return (
      notNow(situation, stuck) ??
      refuses(situation, stuck, more.length) ??
      (mayRaise(situation) ? raiseReplicas(this, situation, stuck) : cancelAndRetry(this, situation, stuck))
    );
  },
};

/** Things that pass, or that somebody is doing. */
function notNow(situation: Situation, { component, parent }: StuckOnline): Verdict | undefined {
  const { op, cluster, queue, instanceSets, pods } = situation;
  const { metadata, status = {} } = cluster;
  if (metadata.deletionTimestamp) return clear('the Cluster is being deleted');
  if (op.metadata.deletionTimestamp) return wait('somebody deletes the operation', '30s');
  if (op.spec.cancel) return wait('somebody cancels the operation', '5s');
  if (component.stop || ['Stopping', 'Stopped', 'Deleting', 'Failed'].includes(status.phase ?? ''))
    return wait(`the Cluster is ${component.stop ? 'stopped' : status.phase}: no pod is expected of it`, '1m');
  if (status.observedGeneration !== metadata.generation) return wait('KubeBlocks has not seen the newest Cluster yet', '5s');
  const set = instanceSets.get(parent);
  if (!set || !isInStep(set, component.replicas)) return wait(`the InstanceSet ${parent} is not in step with the Cluster`, '5s');
  if (set.spec.paused) return wait(`the InstanceSet ${parent} is paused`, '1m');
  const running = alsoRunning(situation);
  if (running.length > 0) return wait(`another operation works on the Cluster: ${running.join(', ')}`, '30s');
  if (!queue.some(({ name, inQueue }) => name === op.metadata.name && !inQueue))
    return wait('the operation does not hold its Cluster', '10s');
  const unready = [...names(parent, component)].filter((name) => !isReady(pods.get(name)));
  // No member is added to a quorum that is not whole.
  return unready.length > 0 ? wait(`not all pods of ${component.name} are ready: ${unready.join(', ')}`, '15s') : undefined;
}

const isInStep = ({ metadata, spec, status }: InstanceSet, replicas: number): boolean =>
  status?.observedGeneration === metadata.generation && spec.replicas === replicas && !hasOrdinals(spec.defaultTemplateOrdinals);

/** What a machine must not mend. */
function refuses(situation: Situation, stuck: StuckOnline, more: number): Verdict | undefined {
  const { component, parent, missing, scaling } = stuck;
  const found = { component: component.name, replicas: component.replicas, missing };
  const plan = planRaise(parent, component, missing);
  const told = (cause: Cause, because: string, advice: string[]): Verdict =>
    situation.age < PATIENCE ? wait('the operation has only begun', '10s') : tell(cause, situation, because, found, advice);
  const cancel = `Cancel it: kubectl patch opsrequest ${situation.op.metadata.name} --type merge -p '{"spec":{"cancel":true}}'`;
  if (!plan.ok)
    return told(gap, `${missing.join(', ')} will never be created, and raising the replicas would create another pod`, [
      cancel,
      'Do not try again with replicaChanges: it makes the wrong ordinal too',
      'Scale out by replicaChanges alone, and let KubeBlocks name the pod',
    ]);
  if (!mayRun(situation, KNOWN))
    return told(lastPodOnline, `KubeBlocks ${situation.kubeblocks} is outside the known range ${KNOWN}`, [cancel]);
  const owner = whoWouldRevert(situation.cluster);
  if (owner)
    return told(lastPodOnline, `the Cluster belongs to ${owner}, which would revert what is changed`, [
      `Set replicas of ${component.name} to ${plan.next.replicas} in the source of the Cluster`,
    ]);
  if (scaling.scaleIn) return told(lastPodOnline, 'it scales in and out at once: what the replicas should be is not known', [cancel]);
  if (more > 0) return told(lastPodOnline, 'it is stuck on more than one component', [cancel, 'Bring them online one after the other']);
  if (missing.length > MOST) return told(lastPodOnline, `${missing.length} pods at once are too many for a machine`, [cancel]);
  return undefined;
}

/** When the head of the queue succeeds, the next operation is checked while the Cluster is still Updating, and fails unless it waits for that. */
const mayRaise = (situation: Situation): boolean =>
  waitingBehind(situation).length === situation.queue.filter(({ inQueue }) => inQueue).length &&
  waitingBehind(situation).every(({ spec }) => (spec.preConditionDeadlineSeconds ?? 0) > 0);

function endedWithoutThePod(situation: Situation, { parent, component, missing }: StuckOnline): Verdict {
  const cause = planRaise(parent, component, missing).ok ? lastPodOnline : gap;
  const advice =
    cause === gap
      ? ['Scale out by replicaChanges alone, and let KubeBlocks name the pod']
      : [
          `Ask again with a number: scaleOut.offlineInstancesToOnline [${missing.join(', ')}] and scaleOut.replicaChanges ${missing.length}`,
        ];
  const found = { component: component.name, replicas: component.replicas, missing };
  return tell(
    cause,
    situation,
    `it says Succeed with progress ${situation.op.status?.progress}, but ${missing.join(', ')} will never be created`,
    found,
    advice,
  );
}
