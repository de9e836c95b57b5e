import type { Evidence } from '../evidence.ts';
import { nameOf } from '../kubernetes/object.ts';
import { actions, type Block, context, fields, fitMessage, header, type Message, section } from './blocks.ts';
import { buttonsOf } from './buttons.ts';
import { severityOf } from './severity.ts';
import { stepLines } from './steps.ts';
import type { Story } from './story.ts';
import { clock, code, words } from './text.ts';

/** Changes of an applied document; its thread has the others. */
const FEW = 5;

/** The one living message of an incident: what is broken, what was found, what would be or was done, what a person can do now. */
export function livingMessage(story: Story): Message {
  const { title, state, because, at, cluster, object, remediation, incident } = story;
  const { emoji, means } = severityOf(state);
  const buttons = buttonsOf(story);
  const head: Block[] = [
    header(`${emoji} ${title}`),
    section([`*${words(state)}* since ${clock(at)}: ${words(because, 1_500)}`]),
    fields([
      `*Severity*\n${words(means)}`,
      `*Object*\n${code(nameOf(object))}`,
      `*Cluster*\n${code(cluster)}`,
      `*Remediation*\n${code(remediation)}`,
    ]),
  ];
  // In this order: what does not fit is left out from the end.
  const body = [...found(story), ...planned(story), ...advice(story), ...writers(story), ...upstream(story)];
  const end = [
    context([timeline(story), `Incident ${code(incident)} · \`kubemend explain ${words(incident)}\``]),
    ...(buttons.length > 0 ? [actions(buttons)] : []),
  ];
  return fitMessage({ text: textOf(story), blocks: [...head, ...body, ...end] }, end.length);
}

/** One line for notifications and screen readers. */
export const textOf = ({ title, state, because, object, cluster }: Story): string =>
  `${severityOf(state).emoji} ${words(title, 200)}: ${words(nameOf(object), 300)} in ${words(cluster, 100)} is ${state}. ${words(because, 600)}`;

/** What was found: the plan's reason and what it rests on, or the newest verdict's. */
function found({ plan, history, state }: Story): Block[] {
  const verdict = history.findLast(({ verdict: one }) => one !== undefined)?.verdict;
  const evidence = state === 'reported' ? (verdict?.evidence ?? plan?.evidence) : (plan?.evidence ?? verdict?.evidence);
  const lines = [...(plan ? [words(plan.because)] : []), ...evidenceLines(evidence ?? {}, 6)];
  return lines.length > 0 ? [section(['*Found*', ...lines])] : [];
}

/** What a person could do, as the newest verdict says. */
function advice({ history }: Story): Block[] {
  const lines = history.findLast(({ verdict }) => verdict !== undefined)?.verdict?.advice ?? [];
  return lines.length > 0 ? [section(['*What a person can do*', ...lines.map((line) => `• ${words(line)}`)])] : [];
}

/** `name = value (live)`, at most `most` of them. */
export function evidenceLines(evidence: Evidence, most: number): string[] {
  const all = Object.entries(evidence).map(
    ([name, { value, from }]) => `• ${words(name, 100)} = ${code(typeof value === 'string' ? value : JSON.stringify(value))} (${from})`,
  );
  return all.length <= most ? all : [...all.slice(0, most), `… and ${all.length - most} more in the thread`];
}

/** Who writes, as the audit log names them; without it, only that it is written. */
function writers({ seen }: Story): Block[] {
  if (!seen) return [];
  const { writes, phantoms, noops, errors, shape, seconds, actors, rejected } = seen;
  const named = actors.slice(0, 5).map(({ user, userAgent, pod, verbs, writes: count, fieldManager }) => {
    const manager = fieldManager ? ` (field manager ${code(fieldManager, 80)})` : '';
    return `• ${code(user, 150)}${pod ? ` in ${code(pod, 150)}` : ''} as ${code(userAgent, 150)}${manager}: ${count} × ${words(verbs.join(', '), 60)}`;
  });
  const failed = rejected
    .slice(0, 5)
    .map(({ user, verbs, requests }) => `• ${code(user, 150)}: ${requests} × ${words(verbs.join(', '), 60)}`);
  return [
    section([
      `*Written by* (${writes} writes in ${seconds} s: ${phantoms} phantom, ${noops} no-ops, ${errors} errors; shape ${words(shape)})`,
      ...(named.length > 0 ? named : ['• not known: no audit event names a writer']),
    ]),
    ...(failed.length > 0 ? [section(['*Rejected requests* (nothing was stored)', ...failed])] : []),
  ];
}

function planned({ plan, state, because }: Story): Block[] {
  if (!plan) return [];
  const done =
    ['applied', 'verified', 'ineffective', 'reverted', 'undone', 'failed'].includes(state) || because.includes('steps are written');
  const until = state === 'awaiting-approval' ? `, valid until ${clock(new Date(plan.expiresAt).toISOString())}` : '';
  return [section([`*${done ? 'Written' : 'Plan'}* ${code(plan.hash.slice(0, 8))}${until}`, ...stepLines(plan, FEW)])];
}

function upstream({ cause }: Story): Block[] {
  if (!cause) return [];
  return [context([`Known cause: ${issueLink(cause.issue)}. Affects ${words(cause.affects)}`])];
}

/** `owner/repository#123` as links to it; what is written around it stays. */
export const issueLink = (issue: string): string =>
  words(issue).replace(
    /\b([\w.-]+\/[\w.-]+)#(\d+)\b/g,
    (name, repository: string, number: string) => `<https://github.com/${repository}/issues/${number}|${name}>`,
  );

/** `detected 04:05:06 → planned 04:05:07 → …`: every state it went through, each once in a row. */
function timeline({ history }: Story): string {
  const changes = history.filter(({ state }, index) => state !== history[index - 1]?.state);
  const shown = changes.length > 12 ? [...changes.slice(0, 2), undefined, ...changes.slice(-9)] : changes;
  return shown.map((one) => (one ? `${words(one.state)} ${clock(one.at)}` : '…')).join(' → ') || 'no history';
}
