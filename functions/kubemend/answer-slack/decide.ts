import { answer } from '../../../shared/answer.ts';
import { switchedOff } from '../../../shared/guards.ts';
import type { Incident } from '../../../shared/incident.ts';
import type { Word } from '../../../shared/input.ts';
import { publicRecord } from '../../../shared/public-record.ts';
import type { RemediationCard } from '../../../shared/remediation.ts';
import type { Schedule } from '../../../shared/schedule/schedule.ts';
import { actions, fitMessage, section } from '../../../shared/slack/blocks.ts';
import { buttonsOf } from '../../../shared/slack/buttons.ts';
import type { Whisper } from '../../../shared/slack/respond.ts';
import { stepLines } from '../../../shared/slack/steps.ts';
import { storyOf } from '../../../shared/slack/story.ts';
import { words } from '../../../shared/slack/text.ts';
import type { State } from '../../../shared/state/state.ts';
import type { Click } from './click.ts';

export interface DecideOptions {
  state: State;
  schedule: Schedule;
  remediations: RemediationCard[];
  /** Slack user ids that may decide. Nobody else can; an empty list is nobody. */
  approvers: string[];
  now(): number;
}

/** A plan that is put off is examined again after this long. */
export const SNOOZE = 3_600_000;

/** Records what a person said by a click, and says what to answer them alone; undefined where the message itself will show it. */
export async function decide(click: Click, options: DecideOptions): Promise<Whisper | undefined> {
  const { state, schedule, remediations, approvers, now } = options;
  const { ask, bound, user } = click;
  if (!approvers.includes(user.id)) {
    return {
      text: `You are not on the list of people who may decide (${words(user.id)}). Who runs kubemend can add you to it; nothing was done.`,
    };
  }
  const incident = await state.load(bound.incident);
  if (!incident) return { text: `Incident ${bound.incident} is not known here any more; nothing was done.` };
  if (incident.plan?.hash !== bound.hash) return moved(incident, options);
  if (incident.state !== bound.state) return tooLate(incident);
  const off = ask === 'approve' ? await switchedOff(state, incident) : undefined;
  if (off) return { text: `Nothing would be written now, so your approval was not recorded: ${words(off)}.` };
  const { taken, incident: next } = await answer({ state, schedule, remediations, id: incident.id, input: word(click, now()), now: now() });
  if (!taken) {
    const current = next ?? incident;
    return current.plan?.hash !== bound.hash ? moved(current, options) : tooLate(current);
  }
  return ask === 'approve' && next?.state === 'detected' ? { text: `That plan had expired. ${words(next.because)}.` } : undefined;
}

function word({ ask, bound: { hash = '' }, user }: Click, now: number): Word {
  // The id is the proof, the name is for people.
  const by = user.name ? `${user.name} (Slack ${user.id})` : `Slack ${user.id}`;
  switch (ask) {
    case 'approve':
      return { kind: 'approve', hash, by };
    case 'reject':
      return { kind: 'reject', by, because: 'said so in Slack', ...(hash && { hash }) };
    case 'snooze':
      return { kind: 'snooze', hash, by, until: now + SNOOZE };
    case 'rerun':
      return { kind: 'rerun', by };
  }
}

/** The first word won: says whose it was, and what came of it. */
function tooLate({ id, state, because, history }: Incident): Whisper {
  const first = history.findLast(({ by }) => by !== undefined);
  const who = first ? `${words(first.by ?? '')} was first: ${words(first.because)}.` : 'It has moved on since.';
  return { text: `${who} Incident ${id} is ${state} now (${words(because)}); your click changed nothing.` };
}

/** The plan is not the one that was looked at any more: shows the one there is, with its own buttons. */
function moved(incident: Incident, { remediations, now }: DecideOptions): Whisper {
  const { id, state, because, plan } = incident;
  const remediation = remediations.find(({ name }) => name === incident.remediation);
  const text = `The plan has changed since this message was shown; nothing was done. Incident ${id} is ${state} now: ${words(because)}.`;
  if (!plan || !remediation) return { text };
  const story = storyOf(publicRecord(incident, remediation, { id: '0.0', state, because, at: now() }));
  const buttons = buttonsOf(story);
  const lines = story.plan ? [`*The plan now*, ${plan.hash.slice(0, 8)}: ${words(plan.because)}`, ...stepLines(story.plan)] : [];
  return fitMessage(
    { text, blocks: [section([text]), section(lines), ...(buttons.length > 0 ? [actions(buttons)] : [])] },
    buttons.length > 0 ? 1 : 0,
  );
}
