import type { IncidentState } from '../../events/incident-changed.ts';
import { context, fitMessage, header, type Message, section } from './blocks.ts';
import { needsPerson, severityOf } from './severity.ts';
import { clock, code, words } from './text.ts';

/** One incident of a storm, as its summary lists it. */
export interface Member {
  incident: string;
  object: string;
  state: IncidentState;
  detectedAt: string;
}

/** What came in a storm: too many incidents of one remediation in one cluster for a message each. */
export interface StormStory {
  title: string;
  remediation: string;
  cluster: string;
  since: string;
  members: Member[];
}

/** The one message of a storm: how many, in which states, and a line for each. Those that need a person come first, and have their message in its thread. */
export function stormMessage({ title, remediation, cluster, since, members }: StormStory): Message {
  const counts = Map.groupBy(members, ({ state }) => state);
  const states = [...counts].map(([state, { length }]) => `${length} ${state}`).join(', ');
  const worst = members.map(({ state }) => severityOf(state)).sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level))[0];
  const sorted = members.toSorted(
    (a, b) => Number(needsPerson(b.state)) - Number(needsPerson(a.state)) || a.detectedAt.localeCompare(b.detectedAt),
  );
  const lines = sorted.map(
    ({ incident, object, state, detectedAt }) =>
      `${severityOf(state).emoji} ${code(object, 150)} *${words(state)}*, detected ${clock(detectedAt)}, incident ${code(incident)}`,
  );
  const text = `${worst?.emoji ?? ''} ${members.length} more incidents of ${words(remediation)} in ${words(cluster, 100)}: ${states}`;
  return fitMessage({
    text,
    blocks: [
      header(`${worst?.emoji ?? ''} ${members.length} × ${title}`),
      section([`${code(remediation)} in ${code(cluster)} since ${clock(since)}: ${words(states)}`]),
      context(['So many at once share this message. The ones that need a person are in its thread, each with its buttons.']),
      ...Array.from({ length: Math.min(4, Math.ceil(lines.length / 10)) }, (_, n) => section(lines.slice(n * 10, (n + 1) * 10))),
      ...(lines.length > 40 ? [context([`… and ${lines.length - 40} more: \`kubemend incidents\``])] : []),
    ],
  });
}

const ORDER = ['critical', 'decision', 'notice', 'progress', 'over'];
