import type { IncidentChanged } from '../../../events/incident-changed.ts';
import type { Incident } from '../../../shared/incident.ts';
import { publicRecord } from '../../../shared/public-record.ts';
import type { Remediation } from '../../../shared/remediation.ts';
import { type Letters, orderOf } from '../../../shared/slack/letter.ts';
import type { State } from '../../../shared/state/state.ts';

/** What a remediation is called in messages. Undefined for one that is not known here. */
export type About = (remediation: string) => Pick<Remediation, 'title' | 'cause'> | undefined;

/** No change of a revision has a higher number. */
const AFTER_ALL = 999;

/** The state of every incident that its letter does not know: events that got lost on their way. Oldest first; incidents that did not change since `since` are old news. */
export async function missed(state: Pick<State, 'list'>, letters: Letters, about: About, since: number): Promise<IncidentChanged[]> {
  const found: IncidentChanged[] = [];
  for (const incident of (await state.list({ limit: 200 })).reverse()) {
    const remediation = about(incident.remediation);
    if (!remediation || incident.updatedAt < since || (await isKnown(incident, letters))) continue;
    const { state: now, because, revision, history, updatedAt } = incident;
    const at = history.findLast((entry) => entry.state === now && entry.because === because)?.at ?? updatedAt;
    found.push(publicRecord(incident, remediation, { id: `${revision}.${AFTER_ALL}`, state: now, because, at }));
  }
  return found;
}

async function isKnown({ id, revision, state, because }: Incident, letters: Letters): Promise<boolean> {
  const letter = await letters.load(id);
  if (letter?.kind !== 'incident') return false;
  const { change } = letter;
  return orderOf(change)[0] >= revision || (change.state === state && change.because === because);
}
