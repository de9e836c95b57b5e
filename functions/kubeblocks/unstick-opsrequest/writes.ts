import type { Write } from '../../../shared/write.ts';
import { ANYTHING } from '../../../shared/write.ts';

const NUMBER = '^[1-9][0-9]*$';
const INCIDENT = '/metadata/annotations/kubemend.dev~1incident';

/** What is written of operations in one API group. An undo takes a field back to what it was (nothing, false or zero too); a deleted request is made again by a person only. */
export const operationWrites = (group: string): Write[] => {
  const kind = { group, resource: 'opsrequests' };
  return [
    {
      operation: 'patch',
      ...kind,
      worst: 'end any operation that is not finished',
      changes: { '/spec/timeoutSeconds': '^[0-9]*$' },
    },
    {
      operation: 'patch',
      ...kind,
      worst: 'cancel any horizontal scaling, or take a cancel back',
      before: { '/spec/type': '^HorizontalScaling$' },
      changes: { '/spec/cancel': '^(true|false)?$' },
    },
    { operation: 'create', ...kind, worst: 'scale any Cluster out', fields: RETRY },
    { operation: 'delete', ...kind, worst: 'delete requests that have not begun', before: { '/status/phase': '^(Pending|Creating)$' } },
    // What this remediation created, while no controller has begun it: the undo.
    {
      operation: 'delete',
      ...kind,
      worst: 'delete requests that kubemend made and no controller has begun',
      before: { [INCIDENT]: '^[0-9a-f]+$', '/metadata/name': '-retry$', '/status/phase': '^$' },
    },
  ];
};

/** The second request of a cancelled scale-out: the same instances, with a number. The last three are defaults and options of the first. */
const RETRY = {
  '/metadata/name': '-retry$',
  [INCIDENT]: '^[0-9a-f]+$',
  '/spec/type': '^HorizontalScaling$',
  '/spec/clusterName': '',
  '/spec/clusterRef': '',
  '/spec/preConditionDeadlineSeconds': NUMBER,
  '/spec/horizontalScaling/[componentName]/componentName': '.',
  '/spec/horizontalScaling/[componentName]/scaleOut/offlineInstancesToOnline': ANYTHING,
  '/spec/horizontalScaling/[componentName]/scaleOut/replicaChanges': NUMBER,
  '/spec/ttlSecondsAfterSucceed': '^[0-9]*$',
  '/spec/ttlSecondsAfterUnsuccessfulCompletion': '^[0-9]*$',
  '/spec/enqueueOnForce': '^(false)?$',
};

/** What is written of Clusters and Components: replicas up (and, as an undo, down again, but not to zero), and a backup that is gone. */
export const CLUSTER_WRITES: Write[] = [
  {
    ...{ operation: 'patch', group: 'apps.kubeblocks.io', resource: 'clusters' },
    worst: 'scale any component to any number of replicas but zero, and any instance template to any number',
    changes: {
      '/spec/componentSpecs/[name]/replicas': NUMBER,
      '/spec/componentSpecs/[name]/instances/[name]/replicas': '^[0-9]*$',
    },
  },
  {
    ...{ operation: 'patch', group: 'apps.kubeblocks.io', resource: 'components' },
    worst: 'name another backup for a component that was restored already',
    before: { '/metadata/annotations/kubeblocks.io~1restore-done': '^true$' },
    changes: { '/metadata/annotations/kubeblocks.io~1restore-from-backup': '' },
  },
];
