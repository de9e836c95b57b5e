import { envelope } from '../../../events/fact.ts';
import { INCIDENT_CHANGED, incidentChanged } from '../../../events/incident-changed.ts';
import type { Letters } from '../../../shared/slack/letter.ts';
import type { State } from '../../../shared/state/state.ts';
import { type About, missed } from './missed.ts';
import { Notifier, type NotifierOptions } from './notifier.ts';

/** What it works with; made on the first event. */
export interface NotifyAdapters extends Omit<NotifierOptions, 'state' | 'letters'> {
  state: Pick<State, 'lease' | 'release' | 'list' | 'setting' | 'set'>;
  letters: Letters;
  about: About;
  wait(ms: number): Promise<unknown>;
}

/** What a run of it did. Not taken: the event is wrong for this function and stays so. */
export type Notified = { taken: true; again: number | undefined } | { taken: false; because: string };

/** Since when incidents are told: what ended before anybody asked for messages is old news. */
const SINCE = 'slack/since';
/** Left of the function's time when it stops sending: what is pending is told by the next sweep. */
const RESERVE = 12_000;

/**
 * Takes `Incident Changed` (keeps it, then tells it) and EventBridge's own schedule (looks for what got lost, then tells what is pending).
 * It throws, and is tried again by Lambda, only where the change could not be stored; Slack's troubles never do that.
 */
export function makeNotifySlack(open: () => NotifyAdapters) {
  let opened: { adapters: NotifyAdapters; notifier: Notifier } | undefined;
  return async (event: unknown, context: { getRemainingTimeInMillis?(): number } = {}): Promise<Notified> => {
    if (!opened) {
      const adapters = open();
      opened = { adapters, notifier: new Notifier(adapters) };
    }
    const { adapters, notifier } = opened;
    const outer = envelope.safeParse(event);
    if (!outer.success) return { taken: false, because: 'The event is no EventBridge event' };
    const { id, detail, 'detail-type': type, 'replay-name': replay } = outer.data;
    if (replay !== undefined)
      return { taken: false, because: `Event ${id} comes from the archive replay "${replay}": it was told when it happened` };
    if (type === INCIDENT_CHANGED) {
      const change = incidentChanged.safeParse(detail);
      if (!change.success)
        return { taken: false, because: `Event ${id} is no ${INCIDENT_CHANGED}: ${change.error.issues[0]?.path.join('.')}` };
      await notifier.keep(change.data);
    } else {
      await sweep(adapters, notifier);
    }
    const end = adapters.now() + (context.getRemainingTimeInMillis?.() ?? 30_000) - RESERVE;
    let again = await notifier.flush();
    while (again !== undefined && again < end) {
      await adapters.wait(Math.max(0, again - adapters.now()));
      again = await notifier.flush();
    }
    return { taken: true, again };
  };
}

/** Keeps the state of every incident whose events got lost. */
export async function sweep(
  { state, letters, about, now }: Pick<NotifyAdapters, 'state' | 'letters' | 'about' | 'now'>,
  notifier: Notifier,
): Promise<void> {
  const since = await state.setting(SINCE);
  if (since === undefined) return state.set(SINCE, String(now()));
  for (const change of await missed(state, letters, about, Number(since))) await notifier.keep(change);
}
