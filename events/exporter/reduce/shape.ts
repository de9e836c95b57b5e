import type { WritesCounted } from '../../writes-counted.ts';

/** What the shape of a window is judged by. `changes` of an actor are its requests that led to a watch event with new content. */
export interface ShapeInput {
  writes: number;
  /** Requests that the API server rejected. */
  rejected: number;
  changes: number;
  phantoms: number;
  noops: number;
  errors: number;
  /** Lives of the object seen in the window: 1 + recreations. */
  uids: number;
  generationMoved: boolean;
  actors: { user: string; pod?: string | undefined; fieldManager?: string | undefined; changes: number }[];
}

/**
 * Names what the writes of one object look like. First match wins, the unambiguous ones first; errors last, so that rejected requests never
 * hide a storm of stored writes.
 * `fan-out` and `poll` need to look across objects and reads; they are a later issue, as is a fight of two objects behind one identity.
 */
export function shapeOf(window: ShapeInput): WritesCounted['shape'] {
  const { writes, rejected, changes, phantoms, noops, errors, uids, generationMoved, actors } = window;
  const writers = actors.filter((actor) => actor.changes >= 2);
  if (phantoms >= 3 && phantoms * 2 >= changes + phantoms) return 'churn';
  if (noops >= 3 && noops * 2 >= writes) return 'noop';
  if (uids >= 3) return 'recreate';
  const podsOf = Map.groupBy(writers, ({ user }) => user).values();
  if (podsOf.some((group) => new Set(group.flatMap(({ pod }) => pod ?? [])).size >= 2)) return 'split-brain';
  const identities = new Set(writers.map(({ user, fieldManager }) => JSON.stringify([user, fieldManager])));
  if (identities.size >= 2 && generationMoved) return 'fight';
  return errors >= 3 && errors * 2 > writes + rejected ? 'error-loop' : 'busy';
}
