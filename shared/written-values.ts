import { canonical, type Json } from './canonical.ts';
import { shown } from './difference.ts';

/**
 * Where `live` is not as a merge patch (or an applied document) left it, one sentence each: `spec.color was written as "blue", is "green"`.
 * What the server adds is no difference; nor is what it drops because it is empty.
 */
export function changedSince(live: unknown, written: Json, at = ''): string[] {
  if (isPlain(written) && isPlain(live)) {
    return Object.entries(written).flatMap(([key, value]) => changedSince(live[key], value, at === '' ? key : `${at}.${key}`));
  }
  if (Array.isArray(written) && Array.isArray(live) && live.length === written.length) {
    return written.flatMap((value, index) => changedSince(live[index], value, `${at}[${index}]`));
  }
  if (live === undefined ? isEmpty(written) : canonical(live) === canonical(written)) return [];
  return [`${at} was written as ${shown(written)}, is ${shown(live)}`];
}

/** `null`, `""`, `[]`, `{}`, and what holds nothing else. */
function isEmpty(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isPlain(value) ? Object.values(value).every(isEmpty) : value === null || value === '';
}

const isPlain = (value: unknown): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value);
