import { type Duration, milliseconds } from '../duration.ts';
import type { KubernetesObject } from './object.ts';

/** Whether anybody changed the object (not its status) within a time before `now`. An object that never changed since its creation was not. */
export function changedWithin({ metadata }: KubernetesObject, within: Duration, now: number): boolean {
  if ((metadata.generation ?? 1) <= 1) return false;
  const times = (metadata.managedFields ?? []).filter(({ subresource }) => !subresource).map(({ time = '' }) => Date.parse(time));
  return times.some((time) => now - time < milliseconds(within));
}
