import type { ObjectHead } from '../watch/watch-event.ts';
import { Timeline } from './timeline.ts';

/** What was last sent about one window of an object. Times in milliseconds. */
export interface WindowState {
  matched: ReadonlySet<string>;
  sentAt: ReadonlyMap<string, number>;
  sentId: string;
  heldSince: number | undefined;
}

/** An object whose writes are counted. */
export interface CountedObject {
  key: string;
  stream: string;
  group: string;
  version: string;
  resource: string;
  namespace: string;
  name: string;
  timeline: Timeline;
  windows: Map<number, WindowState>;
  head: ObjectHead | undefined;
  ownDeleteAt: number;
}

/** Shared by all objects that match no rule: there are many of them. */
const NONE: ReadonlySet<string> = new Set();
const NEVER: ReadonlyMap<string, number> = new Map();
const ENTRIES_PER_OBJECT = 4_096;

/** A window of which nothing was sent. */
export const windowState = (): WindowState => ({ matched: NONE, sentAt: NEVER, sentId: '', heldSince: undefined });

/** An object without writes, counted in windows of these `seconds` (ascending). */
export function countedObject(
  { group, version, resource }: Pick<CountedObject, 'group' | 'version' | 'resource'>,
  named: Pick<CountedObject, 'key' | 'namespace' | 'name' | 'head'>,
  seconds: number[],
): CountedObject {
  return {
    ...named,
    ...{ stream: `${group}/${resource}`, group, version, resource },
    timeline: new Timeline((seconds.at(-1) as number) * 1_000, ENTRIES_PER_OBJECT),
    windows: new Map(seconds.map((one) => [one, windowState()])),
    ownDeleteAt: Number.NEGATIVE_INFINITY,
  };
}

/** The object of a fact. `seen`: what the watch last saw of it. */
export function referenceOf({ group, version, resource, namespace, name, head }: CountedObject, seen = head) {
  return {
    group,
    version: seen?.version ?? version,
    resource,
    ...(seen?.kind && { kind: seen.kind }),
    ...(namespace && { namespace }),
    name,
    ...(seen && { uid: seen.uid, resourceVersion: seen.resourceVersion }),
    ...(seen?.generation !== undefined && { generation: seen.generation }),
  };
}
