import type { Message } from '../../../shared/slack/blocks.ts';
import type { Slack } from '../../../shared/slack/client.ts';
import type { IncidentLetter, Letter, StormLetter } from '../../../shared/slack/letter.ts';
import { livingMessage } from '../../../shared/slack/message.ts';
import { needsPerson } from '../../../shared/slack/severity.ts';
import { storyOf } from '../../../shared/slack/story.ts';
import { stormMessage } from '../../../shared/slack/summary.ts';
import { dueDetails, type LetterBox } from './letter-box.ts';
import { OWN, type StormLimits } from './place.ts';

/** What delivering needs. `mayPost`: Slack takes about one new message a second and channel; an edit is always allowed. */
export interface Delivery {
  slack: Slack;
  channel: string;
  box: LetterBox;
  now(): number;
  storms: StormLimits;
  mayPost(): boolean;
  posted(): void;
}

/** Tells what a letter has to tell, one call to Slack at most. `later`: it has to wait for its turn to post. Throws SlackError. */
export async function deliver(letter: Letter, delivery: Delivery): Promise<'done' | 'later'> {
  if (letter.kind === 'incident') return deliverIncident(letter, delivery);
  return letter.kind === 'storm' ? deliverStorm(letter, delivery) : 'done';
}

async function deliverIncident(letter: IncidentLetter, delivery: Delivery): Promise<'done' | 'later'> {
  const { box, channel, slack } = delivery;
  const { change, message } = letter;
  const sent = { told: change.id, refusals: 0 };
  const due = letter.told === change.id ? dueDetails(letter) : undefined;
  if (due && message) {
    if (!delivery.mayPost()) return 'later';
    await post(delivery, plainly(letter, due.message), { ts: message.ts, broadcast: due.broadcast });
    await box.patch(letter, { details: [...letter.details, due.key].slice(-50), refusals: 0 });
    return 'done';
  }
  if (!message && !letter.place && !delivery.mayPost()) return 'later';
  const placed = await box.place(letter, delivery.now(), delivery.storms);
  const storm = placed === OWN ? undefined : await box.join(placed, letter, delivery.now());
  const content = () => plainly(letter, livingMessage(storyOf(change)));
  if (message) {
    await slack.update(message.channel, message.ts, content());
    await box.patch(letter, sent);
    return 'done';
  }
  if (storm && !needsPerson(change.state)) {
    await box.patch(letter, sent);
    return 'done';
  }
  // Its place is a thread that is not there yet: the summary is told first.
  if (storm && !storm.message) return deliverStorm(storm, delivery);
  if (!delivery.mayPost()) return 'later';
  const ts = await post(delivery, content(), storm?.message && { ts: storm.message.ts });
  await box.patch(letter, { ...sent, message: { channel, ts } });
  return 'done';
}

async function deliverStorm(letter: StormLetter, delivery: Delivery): Promise<'done' | 'later'> {
  const { box, channel, slack } = delivery;
  const content = plainly(letter, stormMessage(letter));
  if (letter.message) {
    await slack.update(letter.message.channel, letter.message.ts, content);
    await box.summed(letter, { refusals: 0 });
    return 'done';
  }
  if (!delivery.mayPost()) return 'later';
  const ts = await post(delivery, content);
  await box.summed(letter, { message: { channel, ts }, refusals: 0 });
  return 'done';
}

async function post({ slack, channel, posted }: Delivery, message: Message, thread?: { ts: string; broadcast?: boolean }): Promise<string> {
  posted();
  return slack.post(channel, message, thread);
}

/** Slack refused the blocks once: then the words alone are told. */
const plainly = ({ refusals }: Letter, message: Message): Message => (refusals > 0 ? { ...message, blocks: [] } : message);
