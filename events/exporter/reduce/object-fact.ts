import { type Coverage, type Envelope, factId } from '../../fact.ts';
import { OBJECT_CHANGED } from '../../object-changed.ts';
import { changedPointers } from './changed-pointers.ts';
import type { Change } from './known-objects.ts';

/** The Object Changed fact of one change, with nothing of the object but what `pick` takes. `at`: milliseconds. */
export function objectFact(
  { head, resource, change, phantom, before, after }: Change,
  cluster: string,
  at: number,
  coverage: Coverage,
  pick: (object: unknown) => Record<string, unknown>,
): Envelope {
  const { group, version, kind, namespace, name, uid, resourceVersion, generation } = head;
  // What was told before a crash may be told again out of a list, which shows a deletion without its version, and a change as an addition.
  const id = factId('object', cluster, group, resource, namespace, name, uid, change === 'deleted' ? change : resourceVersion);
  const observedAt = new Date(at).toISOString();
  const detail = {
    id,
    cluster,
    observedAt,
    coverage,
    object: {
      ...{ group, version, resource, ...(kind && { kind }), ...(namespace && { namespace }), name, uid, resourceVersion },
      ...(generation !== undefined && { generation }),
    },
    change,
    changed: before !== undefined && after !== undefined ? changedPointers(before, after) : [],
    phantom,
    ...(after !== undefined && { current: pick(after) }),
    ...(before !== undefined && { previous: pick(before) }),
  };
  return { id, source: 'kubernetes', 'detail-type': OBJECT_CHANGED, time: observedAt, detail };
}
