import type { Envelope } from '../../fact.ts';
import { OBJECT_CHANGED, type ObjectChanged } from '../../object-changed.ts';
import type { Remembered } from './watch-checkpoint.ts';
import { type KnownObject, keyOf, type Resume } from './watch-position.ts';

/**
 * Passes on the log of a spool, and adds to what the checkpoints know the objects that a process before this one told of after its last
 * checkpoint: when the server has forgotten the time since, somebody has to tell that they are gone. `remembered`: by `group/resource`.
 */
export async function* toldSince<T extends object>(log: AsyncIterable<T | { fact: Envelope }>, remembered: Map<string, Remembered>) {
  const known = new Map<Resume, Map<string, KnownObject>>();
  for await (const line of log) {
    if ('fact' in line && line.fact['detail-type'] === OBJECT_CHANGED) {
      const { object, change } = line.fact.detail as unknown as ObjectChanged;
      const { group, resource, resourceVersion = '' } = object;
      const resume = remembered.get(`${group}/${resource}`)?.resume;
      if (resume && isNewer(resourceVersion, resume.resourceVersion)) {
        const objects = known.get(resume) ?? new Map(resume.objects.map((one) => [keyOf(one), one]));
        known.set(resume, objects);
        const told = headOf(object);
        if (change === 'deleted') objects.delete(keyOf(told));
        else objects.set(keyOf(told), told);
      }
    }
    yield line;
  }
  for (const [resume, objects] of known) resume.told = [...objects.values()];
}

/** Kubernetes promises comparable numbers from 1.35 on, and always had them; anything else says nothing. */
const isNewer = (one: string, other: string): boolean => [one, other].every((text) => /^\d+$/.test(text)) && BigInt(one) > BigInt(other);

function headOf({ group, version, kind, namespace, name, uid, resourceVersion, generation }: ObjectChanged['object']): KnownObject {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, generation } };
}
