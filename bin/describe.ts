import type { Json } from '../shared/canonical.ts';
import { shown } from '../shared/difference.ts';
import { forPeople } from '../shared/duration.ts';
import type { Evidence } from '../shared/evidence.ts';
import { fieldsOf, holdsSecrets, pathOf } from '../shared/field-changes.ts';
import type { Incident } from '../shared/incident.ts';
import { nameOf } from '../shared/kubernetes/object.ts';
import type { Plan, Step } from '../shared/plan.ts';
import type { Fact, Remediation } from '../shared/remediation.ts';
import { clockTime, paint, paintState } from './paint.ts';

/** What was seen, for people: object, writers, rate, phantom share. */
export function describeFact(fact: Fact): string[] {
  const name = nameOf(fact.object);
  if (!('window' in fact)) return [`${name} was ${fact.change}${fact.phantom ? ' (phantom: only times moved)' : ''}`];
  const { writes, changes, noops, phantoms, errors, actors, rejected = [], recent } = fact;
  // Audit comes in batches: the watch may have seen more writes than audit has named by now.
  const seen = Math.max(writes, changes + phantoms + noops + errors, 1);
  const share = Math.round((100 * phantoms) / seen);
  return [
    `${name}: ${seen} writes, ${ratePerMinute(fact)} a minute, ${share} % phantom (nothing but times moved)`,
    `  ${phantoms} phantom, ${changes} real changes, ${noops} no-ops, ${errors} errors in ${forPeople(span(recent))}; shape: ${fact.shape}`,
    ...actors.map(
      ({ user, userAgent, verbs, writes: count, pod }) =>
        `  by ${user}${pod ? ` in ${pod}` : ''} as ${userAgent}: ${count} × ${verbs.join(', ')}`,
    ),
    ...rejected.map(
      ({ user, verbs, requests, codes }) =>
        `  rejected: ${requests} × ${verbs.join(', ')} of ${user} (${Object.keys(codes).join(', ')}): nothing was stored`,
    ),
  ];
}

/** Writes a minute over the newest writes of a fact. */
export function ratePerMinute({ recent }: Extract<Fact, { window: unknown }>): number {
  const time = span(recent);
  return time > 0 ? Math.round(((recent.length - 1) * 60_000) / time) : 0;
}

const span = (recent: { at: string }[]): number => Date.parse(recent.at(-1)?.at ?? '') - Date.parse(recent[0]?.at ?? '') || 0;

/** A plan for people: why, on what evidence and from which source, what would be written. */
export function describePlan({ hash, because, evidence, steps, expiresAt, before, changes }: Plan): string[] {
  return [
    `Plan ${paint('bold', hash.slice(0, 8))} (valid until ${clockTime(expiresAt)})`,
    `  because   ${because}`,
    ...describeEvidence(evidence),
    ...steps.flatMap((step, index) => describeStep(step, index + 1, before?.[index], changes?.[index])),
  ];
}

/** One line for each value of the evidence, with where it came from: `evidence  operator = 0.43.0  (live)`. */
export const describeEvidence = (evidence: Evidence): string[] =>
  Object.entries(evidence).map(
    ([name, { value, from }]) => `  evidence  ${name} = ${typeof value === 'string' ? value : JSON.stringify(value)}  (${from})`,
  );

/** What a step would write, for people: each field with what stood there `before`, where that is recorded. Nothing of a Secret. */
export function describeStep(step: Step, number: number, before?: Record<string, Json>, changes: string[] = []): string[] {
  const head = `  step ${number}    ${step.kind} on ${nameOf(step.target)}: ${step.reason}`;
  const fields = (before || holdsSecrets(step)) && fieldsOf(step);
  if (fields && fields.length > 0) {
    const values = ({ pointer, after }: (typeof fields)[number]): string =>
      holdsSecrets(step) ? 'changed (values of Secrets are not shown)' : `${shown(before?.[pointer])} → ${shown(after)}`;
    return [head, ...fields.map((field) => `            ${pathOf(field.pointer)}: ${values(field)}`)];
  }
  switch (step.kind) {
    case 'apply':
      return [
        head,
        `            document ${step.document.artifact}, SHA-256 ${step.document.sha256.slice(0, 16)}…`,
        ...changes.map((line) => `            ${line}`),
      ];
    case 'json-patch':
      return [head, ...step.operations.map((operation) => `            ${JSON.stringify(operation)}`)];
    case 'merge-patch':
      return [head, `            ${JSON.stringify(step.patch)}`];
    case 'delete-znode':
      return [head, `            ${step.path} if it is still ${JSON.stringify(step.lock)}; saved before, with ${step.keep.join(', ')}`];
    default:
      return [head];
  }
}

/** The whole story of an incident. */
export function describeIncident(incident: Incident, remediation: Remediation | undefined): string[] {
  const { id, object, cluster, state, because, plan, history, fact, undo, after } = incident;
  const newest = history.findLast(({ verdict }) => verdict !== undefined)?.verdict;
  const reported = state === 'reported' && newest?.kind === 'report' ? describeEvidence(newest.evidence) : [];
  return [
    `${paint('bold', `Incident ${id}`)}  ${paintState(state)}  ${nameOf(object)} in ${cluster}`,
    `${remediation?.title ?? ''} (${incident.remediation})`,
    `  ${because}`,
    ...(after ? [`  follows incident ${after}`] : []),
    ...(remediation
      ? ['', 'Known cause', `  ${remediation.cause.issue}`, `  ${remediation.cause.because}`, `  affects ${remediation.cause.affects}`]
      : []),
    '',
    'Seen',
    ...describeFact(fact).map((line) => `  ${line}`),
    ...(plan ? ['', ...describePlan(plan)] : []),
    ...(reported.length > 0 ? ['', 'Report', ...reported] : []),
    ...(undo?.plan ? ['', `Taken back, as ${undo.by} wanted`, ...describePlan(undo.plan)] : []),
    '',
    'History (UTC)',
    ...history.flatMap((entry) => [
      `  ${clockTime(entry.at)}  ${paintState(entry.state, 18)} ${entry.because}`,
      ...(entry.verdict && 'advice' in entry.verdict ? (entry.verdict.advice ?? []).map((advice) => `${' '.repeat(31)}→ ${advice}`) : []),
    ]),
  ];
}
