import { isDue, isInFuture, LONG_WAIT_MS } from './clock-step.ts';
import { type Incident, lookDue } from './incident.ts';
import type { Appointment, Schedule } from './schedule/schedule.ts';
import type { State } from './state/state.ts';

/** A look that is so late was lost: the queue gave it up or was emptied, or its schedule is gone. Milliseconds. */
export const OVERDUE = 600_000;
/** The longest that work left over waits for the next try; as often looks who takes up what was left. Milliseconds. */
const LONGEST = 300_000;
/** Somebody else stores the same incident just now: then he is at work on it. */
const TRIES = 25;

/** Whether the look that an incident waits for was lost: nothing brings it any more, or only after a time that a clock which ran ahead has set. */
export const lookIsLost = (incident: Incident, now: number): boolean => {
  const at = lookDue(incident);
  return at !== undefined && (now - at > OVERDUE || (at > now && isDue({ at, set: incident.look?.set }, now)));
};

/** What `State.left` is asked for: work last touched before `touched`, and looks that may be lost. */
export const leftBefore = (touched: number, now: number): { touched: number; due: number; beyond: number } => ({
  touched,
  due: now - OVERDUE,
  beyond: now + LONG_WAIT_MS,
});

/** Of what `State.left` answers, what there is to do. */
export const isLeft = (incident: Incident, now: number): boolean => incident.effects.length > 0 || lookIsLost(incident, now);

/** What calls an incident that was left: its own lost look, so that one that comes after all is nothing new, or a wake-up for its outbox. */
export const callFor = (incident: Incident, now: number): Appointment => {
  const { id, look } = incident;
  return look && lookIsLost(incident, now) ? { incident: id, token: look.token, at: look.at } : { incident: id, token: 'wake', at: now };
};

/** The next wake-up for what is left in an outbox: after `first`, then twice as long each time. Undefined while one is on its way, so their number never grows. */
export function nextWake({ effects, wake }: Incident, first: number, now: number): Incident['wake'] {
  if (effects.length === 0 || (wake && wake.at > now && !isInFuture(wake.at - wake.after, now))) return undefined;
  const goesOn = wake && wake.at <= now && now - wake.at < 2 * LONGEST;
  const after = goesOn ? Math.min(2 * wake.after, LONGEST) : first;
  return { at: now + after, after };
}

/** Has an incident woken for what is left in its outbox. Stored before it is put, so that none is put twice; one that is lost in between is made good by whoever takes up what was left. */
export async function wakeLater(
  id: string,
  { state, schedule, first, now }: { state: State; schedule: Schedule; first: number; now: number },
): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const incident = await state.load(id);
    const wake = incident && nextWake(incident, first, now);
    if (!wake) return;
    const next = { ...incident, wake, revision: incident.revision + 1, updatedAt: now };
    if (await state.save(next, incident.revision)) return schedule.put({ incident: id, token: 'wake', at: wake.at });
  }
}
