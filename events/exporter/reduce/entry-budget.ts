import type { CountedObject } from './counted-object.ts';

/** A timeline of so many entries still shows a storm: its old entries are merged, and their counts stay. */
const ENTRIES_PER_OBJECT = 128;

/**
 * Makes room when all timelines together have too many entries: long ones are merged, and the objects with the fewest entries are forgotten until
 * `budget` entries are left. A storm is what has the most entries, so it stays. `forgotten`: writes that are not counted any more.
 */
export function makeRoom(
  objects: Iterable<CountedObject>,
  budget: number,
  current: CountedObject,
): { kept: Set<CountedObject>; forgotten: number } {
  const busiestFirst = [...objects].sort((a, b) => b.timeline.size - a.timeline.size);
  const kept = new Set([current]);
  let left = budget;
  let forgotten = 0;
  for (const counted of busiestFirst) {
    const { timeline } = counted;
    const before = timeline.forgotten;
    timeline.limit(ENTRIES_PER_OBJECT);
    forgotten += timeline.forgotten - before;
    if (timeline.size > left && counted !== current) {
      forgotten += timeline.count;
      continue;
    }
    left -= timeline.size;
    kept.add(counted);
  }
  return { kept, forgotten };
}
