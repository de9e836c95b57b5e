import { canonical, type Json } from './canonical.ts';
import { shown } from './difference.ts';

/** Where `live` is not as a merge patch (or an applied document) left it, one sentence each: `spec.color was written as "blue", is "green"`. */
export function changedSince(live: unknown, written: { [key: string]: Json }, at = ''): string[] {
  return Object.entries(written).flatMap(([key, value]) => {
    const now = isPlain(live) ? live[key] : undefined;
    const path = at === '' ? key : `${at}.${key}`;
    if (isPlain(value) && isPlain(now)) return changedSince(now, value, path);
    if (value === null && now === undefined) return [];
    return holds(now, value) ? [] : [`${path} was written as ${shown(value)}, is ${shown(now)}`];
  });
}

/** Whether `live` has what was written; the server may have added defaults inside. */
function holds(live: unknown, written: Json): boolean {
  if (Array.isArray(written))
    return Array.isArray(live) && live.length === written.length && written.every((item, n) => holds(live[n], item));
  if (isPlain(written)) return isPlain(live) && Object.entries(written).every(([key, value]) => holds(live[key], value));
  return canonical(live) === canonical(written) || (written === null && live === undefined);
}

const isPlain = (value: unknown): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value);
