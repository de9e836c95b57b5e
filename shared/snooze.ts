import type { Draft } from './draft.ts';
import type { Incident } from './incident.ts';

const LONGEST = 24 * 3_600_000;

/** A person puts a plan off. The plan is dropped, so nothing that is older than its expiry can be approved: at `until` the cluster is examined anew, and asks again. */
export function onSnooze(next: Draft, { hash, by, until }: { hash: string; by: string; until: number }, now: number): Incident | undefined {
  const { state, plan } = next.incident;
  if (state !== 'awaiting-approval' || plan?.hash !== hash || !(until > now) || until > now + LONGEST) return undefined;
  const at = new Date(until).toISOString();
  next.leave({ snoozedUntil: until, changes: 0 });
  return next
    .to('waiting', `${by} put it off: it is looked at anew at ${at.slice(11, 16)} UTC, or when somebody asks again`, { by })
    .look(until)
    .done();
}

/** Whether a person put it off, and asked for nothing since. */
export const snoozed = ({ state, snoozedUntil = 0 }: Incident, now: number): boolean =>
  state === 'waiting' && now < snoozedUntil && snoozedUntil - now <= LONGEST;
