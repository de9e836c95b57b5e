import { jsonPatch, type Step, targetOf } from '../../../shared/plan.ts';
import { entriesOf, PODS, PODSETS, type Roll, TRUSTED } from './roll.ts';

const pointer = `metadata/annotations/${TRUSTED.replace('/', '~1')}`;

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
