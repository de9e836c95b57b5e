import { jsonPatch, type Step, targetOf } from '../../../shared/plan.ts';
import type { Write } from '../../../shared/write.ts';
import { entriesOf, PODS, PODSETS, type Roll, TRUSTED } from './roll.ts';

const pointer = `metadata/annotations/${TRUSTED.replace('/', '~1')}`;
/** A key generation; never removed. */
const GENERATION = '^[0-9]+$';

const WORST =
  'make the operator take a pod for one that trusts the new CA, or for one that does not: it skips a restart that is needed, or restarts the pod';

/** All that is written: one annotation, on pods and on the entries of their sets. */
export const MARKS: Write[] = [
  {
    operation: 'patch',
    group: PODS.group,
    resource: PODS.resource,
    pinnable: 'kafka-pods',
    worst: `${WORST}, until it restarts`,
    changes: { [`/${pointer}`]: GENERATION },
  },
  {
    ...{ operation: 'patch', group: PODSETS.group, resource: PODSETS.resource, pinnable: 'kafka-podsets' },
    worst: `${WORST}, also when it is created again`,
    changes: { [`/spec/pods/[metadata.name]/${pointer}`]: GENERATION },
  },
];

/**
 * Marks every stale pod as trusting the present key: the entries of the StrimziPodSets first, so that a pod that is recreated meanwhile
 * keeps the mark, then the pods, which the operator reads. A list of pods is replaced as a whole by any other kind of patch.
 */
export function markAll({ podSets, stale, generation, previous }: Roll): Step[] {
  const reason = `its pods trust the CA key of generation ${generation}`;
  const sets = podSets.flatMap((podSet) => {
    const entries = entriesOf([podSet]).filter(({ trusts }) => trusts === previous);
    if (entries.length === 0) return [];
    const operations = entries.flatMap(({ index, name }) => [
      { op: 'test' as const, path: `/spec/pods/${index}/metadata/name`, value: name },
      { op: 'test' as const, path: `/spec/pods/${index}/${pointer}`, value: previous },
      { op: 'replace' as const, path: `/spec/pods/${index}/${pointer}`, value: generation },
    ]);
    const { namespace, name } = podSet.metadata;
    return [jsonPatch(targetOf({ ...PODSETS, namespace, name }, podSet), operations, reason)];
  });
  const pods = stale.map((pod) => {
    const { namespace, name } = pod.metadata;
    const operations = [
      { op: 'test' as const, path: `/${pointer}`, value: previous },
      { op: 'replace' as const, path: `/${pointer}`, value: generation },
    ];
    return jsonPatch(targetOf({ ...PODS, namespace, name }, pod), operations, `it trusts the CA key of generation ${generation}`);
  });
  return [...sets, ...pods];
}
