import { type Block, fitMessage, type Message, section } from './blocks.ts';
import { evidenceLines } from './message.ts';
import { stepLines } from './steps.ts';
import type { Story } from './story.ts';
import { clock, words } from './text.ts';

/** What belongs into the thread, and the key under which it is posted only once. Undefined: nothing yet. */
export function details(story: Story): { key: string; message: Message; broadcast: boolean } | undefined {
  const { plan, history, state } = story;
  const asked = history.findLast((entry) => entry.state === 'awaiting-approval');
  const putOff = history.findLast((entry) => entry.state === 'waiting' && entry.by !== undefined);
  if (state === 'awaiting-approval' && putOff && asked) {
    // An edited message calls nobody: after a snooze the channel is told again.
    const line = `This was put off, and is still so: ${words(story.because)}. It waits for approval again since ${clock(asked.at)}.`;
    return { key: `again/${asked.at}`, message: { text: line, blocks: [section([line])] }, broadcast: true };
  }
  const verdict = history.findLast((entry) => entry.verdict?.evidence !== undefined)?.verdict;
  const evidence = plan?.evidence ?? verdict?.evidence;
  if (!evidence) return undefined;
  const blocks: Block[] = [
    ...chunks(['*Evidence*', ...evidenceLines(evidence, 60)]),
    ...(plan ? chunks(['*What is written, before → after*', ...stepLines(plan)]) : []),
  ];
  const text = `Evidence of ${plan ? `plan ${plan.hash.slice(0, 8)}` : 'the report'}: ${words(plan?.because ?? story.because)}`;
  return { key: plan ? `plan/${plan.hash}` : 'report', message: fitMessage({ text, blocks }), broadcast: false };
}

/** Long lists become several sections, since nobody should have to look elsewhere for the tenth field. */
function chunks(lines: string[], each = 8): Block[] {
  return Array.from({ length: Math.ceil(lines.length / each) }, (_, n) => section(lines.slice(n * each, (n + 1) * each)));
}
