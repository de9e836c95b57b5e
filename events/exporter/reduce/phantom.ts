import { asRecord } from '../as-record.ts';
import { differences } from './changed-pointers.ts';

/**
 * A write that stored nothing but new times: an operator wanted to store something and the API server dropped it.
 * Compare only objects seen one after the other in one unbroken watch: a missed A→B→A pair looks the same.
 */
export function isPhantom(before: unknown, after: unknown): boolean {
  const old = asRecord(asRecord(before).metadata);
  const now = asRecord(asRecord(after).metadata);
  if (typeof now.uid !== 'string' || now.uid !== old.uid) return false;
  if (old.deletionTimestamp !== undefined || now.deletionTimestamp !== undefined) return false;
  if (typeof now.generation !== 'number' || now.generation !== old.generation) return false;
  if (asRecord(asRecord(after).status).observedGeneration !== now.generation) return false;

  let timesMoved = 0;
  for (const path of differences(before, after)) {
    if (isTransitionTime(path)) timesMoved++;
    else if (!isBookkeeping(path)) return false;
  }
  return timesMoved > 0;
}

const isBookkeeping = ([first, second]: string[]): boolean =>
  first === 'metadata' && (second === 'resourceVersion' || second === 'managedFields');

const isTransitionTime = (path: string[]): boolean =>
  path.length === 4 && path[0] === 'status' && path[1] === 'conditions' && path[3] === 'lastTransitionTime';
