import { milliseconds } from '../../../../shared/duration.ts';
import { abort } from '../abort.ts';
import { type Case, tell } from '../case.ts';

/** KubeBlocks #8372: Switchover. */
export const switchoverJob: Case = {
  issue: '#8372',
  affects: '0.9.0 and 0.9.1; fixed in 0.9.2',
  because: 'only the first condition of the switchover job is looked at, and Complete is not always the first',
  types: ['Switchover'],
  phases: ['Running'],
  async ask(situation) {
    const { op, read, age, cluster, opReference } = situation;
    if (age < milliseconds('30s')) return undefined;
    const labelSelector = `app.kubernetes.io/instance=${cluster.metadata.name}`;
    const jobs = await read.list({ group: 'batch', version: 'v1', resource: 'jobs', namespace: op.metadata.namespace, labelSelector });
    const began = Date.parse(op.status?.startTimestamp ?? '');
    const missed = jobs.find(({ metadata, status }) => {
      const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
      const complete = conditions.findIndex((condition) => condition.type === 'Complete' && condition.status === 'True');
      return /switchover/.test(metadata.name) && complete > 0 && Date.parse(String(metadata.creationTimestamp)) >= began - 1_000;
    });
    if (!missed) return undefined;
    const found = { job: missed.metadata.name };
    if (opReference.group === 'operations.kubeblocks.io') return abort(this, situation, 'its job is complete', found);
    const advice = [
      'The switchover is done',
      'Set spec.timeoutSeconds to 1 (refused where the admission webhooks of 0.9 are on)',
      'Upgrade to 0.9.2',
    ];
    return tell(this, situation, 'its job is complete, and it does not end', found, advice);
  },
};
