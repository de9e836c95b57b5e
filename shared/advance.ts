import type { IncidentState } from '../events/incident-changed.ts';
import { onRerun, refusedRetry } from './again.ts';
import { isInFuture } from './clock-step.ts';
import { onClusterRemoved } from './cluster-removed.ts';
import { Draft } from './draft.ts';
import { milliseconds } from './duration.ts';
import { type Entry, hasEnded, type Incident, wasFailure } from './incident.ts';
import type { Context, Examined, Input } from './input.ts';
import { lookIsLost } from './left-over.ts';
import { isExpired, type Plan } from './plan.ts';
import { asksAgain } from './recurrence.ts';
import type { Fact, Question } from './remediation.ts';
import { onSnooze, snoozed } from './snooze.ts';
import { conclude, onNoAnswer, onSettle, onTookEffect, onWriting } from './unanswered.ts';
import { onUndo, onUndoing } from './undo.ts';
import { onVerified } from './verify.ts';
import { onWritten } from './written.ts';

const REEXAMINE = 60_000;
const RECHECK = 600_000;
/** What a look asks in each state; in every other state it comes too late. */
const LOOKS: { [state in IncidentState]?: Exclude<Question, 'before-write'> } = {
  planned: 'confirm',
  applied: 'verify',
  waiting: 'detect',
  reported: 'detect',
  shadowed: 'detect',
  cleared: 'detect',
};
const DOUBTS = 5;
const CHANGES = 5;
/** A plan spends its budget once, so the writes that are sent for it are limited here. */
const MAX_REFUSALS = 5;

/** The life of an incident: a pure function. Undefined means that nothing changed and nothing is to be stored. */
export function advance(incident: Incident, happened: Input, context: Context): Incident | undefined {
  if ('effect' in happened && !incident.effects.some(({ id }) => id === happened.effect)) return undefined;
  const next = new Draft(incident, context.now);
  if ('effect' in happened) next.finish(happened.effect ?? '');
  const input = conclude(next, happened, context.now);
  const special = onSettle(next, input) ?? onUndoing(next, input, context) ?? refusedRetry(next, input);
  if (special) return special;
  switch (input.kind) {
    case 'fact':
      return onFact(next, input.fact, context);
    case 'due':
      return onDue(next, input.token, context);
    case 'approve':
      return onApprove(next, input, context);
    case 'reject':
      if (!['awaiting-approval', 'shadowed', 'reported'].includes(incident.state)) return undefined;
      if (input.hash !== undefined && input.hash !== incident.plan?.hash) return undefined;
      return next.to('refused', `${input.by} rejected it: ${input.because}`, { by: input.by }).done();
    case 'snooze':
      return onSnooze(next, input, context.now);
    case 'rerun':
      return onRerun(next, input.by, context.now);
    case 'retry':
      return undefined;
    case 'undo':
      return onUndo(next, input.by);
    case 'examined':
      return input.question === 'verify' ? onVerified(next, input, context) : onExamined(next, input, context);
    case 'doubt':
      return onDoubt(next, input, context);
    case 'withheld': {
      const { written = [], steps = [] } = incident.execution ?? {};
      const because = `${written.length > 0 ? `${written.length} of ${steps.length} steps are written, no more` : 'nothing was written'}: ${input.because}`;
      if (input.again === undefined) return next.to('refused', because, { open: input.open }).done();
      return next.to('waiting', because).look(input.again).done();
    }
    case 'prepared':
      next.set({ execution: { preparedAt: context.now, steps: input.steps, written: [] } });
      return next
        .note('before-write', 'the plan still holds: locks taken', { reads: input.reads })
        .effect({ kind: 'write', step: 0 })
        .done();
    case 'writing':
      return onWriting(next, input, context);
    case 'unanswered':
      return onNoAnswer(next, input);
    case 'took-effect':
      return onTookEffect(next, input, context);
    case 'cluster-removed':
      return onClusterRemoved(next, input.because);
    case 'written':
      return onWritten(next, input.written, context);
    case 'conflict': {
      if (incident.execution?.written.length) return next.to('failed', `stopped between two steps: ${input.because}`).done();
      const refusals = (incident.refusals ?? 0) + (input.sent ? 1 : 0);
      next.leave({ changes: incident.changes + 1, ...(refusals > 0 && { refusals }) });
      if (refusals >= MAX_REFUSALS)
        return next.to('refused', `nothing was written: the API server refused the write ${refusals} times: ${input.because}`).done();
      return next.to('detected', `nothing was written: ${input.because}`).effect({ kind: 'examine', question: 'detect' }).done();
    }
    case 'broken':
      return next.to('failed', input.because).done();
    case 'not-found':
    case 'done':
      return next.done();
  }
}

function onFact(next: Draft, fact: Fact, context: Context): Incident | undefined {
  const { now, when } = context;
  const { state, factIds, examinedAt = 0, verification, effects, look } = next.incident;
  if (factIds.includes(fact.id)) return undefined;
  // A fact that was delayed on its way does not displace a newer one.
  const known = Date.parse(next.incident.fact.observedAt);
  const newer = Date.parse(fact.observedAt) >= known || isInFuture(known, now);
  next.set({ factIds: [...factIds, fact.id].slice(-50), ...(newer && { fact }) });
  // Nobody comes for a look that was lost: the fact does.
  if (look && lookIsLost(next.incident, now) && effects.every(({ kind }) => kind === 'tell'))
    return onTimer(next, look.token, context) ?? next.done();
  const examining = snoozed(next.incident, now) || effects.some(({ kind }) => kind === 'examine' || kind === 'prepare');
  if (state === 'applied' && verification && asksAgain(fact, when, verification.settledAt)) {
    if (!examining) next.effect({ kind: 'examine', question: 'verify' });
  } else if (
    !examining &&
    (state === 'waiting' ||
      (['cleared', 'reported', 'shadowed'].includes(state) && (now - examinedAt >= REEXAMINE || isInFuture(examinedAt, now))))
  ) {
    if (state === 'cleared') next.set({ detectedAt: now, memory: undefined });
    next.effect({ kind: 'examine', question: 'detect' });
  } else if (!examining && state === 'cleared' && !next.incident.look) {
    // It may be the only fact of a new failure: it waits, it is not dropped.
    next.set({ detectedAt: now, memory: undefined }).look(examinedAt + REEXAMINE);
  }
  return next.done();
}

/** The timer of an incident, whoever brings it. */
function onTimer(next: Draft, token: number, context: Context): Incident | undefined {
  const due = { kind: 'due', token } as const;
  return onSettle(next, due) ?? onUndoing(next, due, context) ?? onDue(next, token, context);
}

function onDue(next: Draft, token: number, { now }: Context): Incident | undefined {
  const { state, look, plan } = next.incident;
  if (look?.token !== token) return undefined;
  next.set({ look: undefined });
  if (state === 'awaiting-approval') {
    if (plan && !isExpired(plan, now)) return next.look(plan.expiresAt).done();
    return next.to('expired', 'nobody approved the plan before it expired').done();
  }
  const question = LOOKS[state];
  return question && next.effect({ kind: 'examine', question }).done();
}

function onApprove(next: Draft, { hash, by }: { hash: string; by: string }, { now }: Context): Incident | undefined {
  const { state, plan } = next.incident;
  if (!plan || plan.hash !== hash || (state !== 'awaiting-approval' && state !== 'expired')) return undefined;
  if (isExpired(plan, now)) {
    const because = `${by} approved a plan that had expired: a new one is made`;
    return next.to('detected', because, { by }).effect({ kind: 'examine', question: 'detect' }).done();
  }
  next.set({ approval: { hash, by, at: now }, look: undefined });
  return next
    .to('executing', `${by} approved plan ${hash.slice(0, 8)}`, { by, planHash: hash })
    .effect({ kind: 'prepare' })
    .done();
}

/** The first and the second question, and the third when it found that things had moved on. */
function onExamined(next: Draft, { question, verdict, plan, byHand, reads }: Examined, context: Context): Incident | undefined {
  const { state, plan: planned } = next.incident;
  const { now, limits, mode } = context;
  if (hasEnded(state) && state !== 'cleared') return next.done();
  if (question === 'before-write') next.note(question, `nothing was written: the answer changed (${verdict.because})`, { verdict, reads });
  next.leave({ examinedAt: now, doubts: 0, look: undefined });
  const entry = { question, verdict, reads, ...(plan && { planHash: plan.hash }) };
  switch (verdict.kind) {
    case 'clear':
      if (state === 'cleared') return next.done();
      next.set({ ...(byHand && { byHand }) });
      return next
        .to(
          planned || wasFailure(next.incident) ? 'resolved' : 'cleared',
          `${verdict.because}${byHand ? '; somebody did what was planned' : ''}`,
          entry,
        )
        .done();
    case 'wait':
      next.set({ memory: verdict.remember ?? next.incident.memory });
      return next
        .to('waiting', verdict.because, entry)
        .look(now + milliseconds(verdict.again))
        .done();
    case 'report':
      return next
        .to('reported', verdict.because, entry)
        .look(now + RECHECK)
        .done();
    case 'fix': {
      if (!plan) throw new Error('A fix verdict came without its plan');
      const same = plan.hash === planned?.hash;
      if (question === 'confirm' && same && state === 'planned') return confirmed(next, plan, entry, context);
      if (state === 'shadowed' && same && mode === 'shadow') return next.look(now + RECHECK).done();
      const changes = next.incident.changes + (planned && !same ? 1 : 0);
      next.set({ plan, changes });
      if (changes > CHANGES)
        return next
          .set({ changes: 0 })
          .to('reported', 'the plan or its target changes faster than it can be carried out', { ...entry, open: true })
          .look(now + RECHECK)
          .done();
      return next
        .to('planned', verdict.because, entry)
        .look(now + milliseconds(limits.confirmAfter))
        .done();
    }
  }
}

function confirmed(next: Draft, plan: Plan, entry: Partial<Entry>, { now, mode }: Context): Incident {
  const asks = mode === 'approve' || (mode === 'auto' && plan.approval === 'always');
  const state = asks ? 'awaiting-approval' : mode === 'auto' ? 'executing' : 'shadowed';
  const because = `confirmed: still the same plan${state === 'shadowed' ? '; shadow mode writes nothing' : ''}`;
  next.set({ plan }).to(state, because, entry);
  if (state === 'executing') return next.effect({ kind: 'prepare' }).done();
  return next.look(asks ? plan.expiresAt : now + RECHECK).done();
}

function onDoubt(next: Draft, { question, because }: { question: Question; because: string }, { now }: Context): Incident | undefined {
  const { state, verification } = next.incident;
  const doubts = next.incident.doubts + 1;
  next.set({ doubts, examinedAt: now });
  if (state === 'applied' && verification) {
    if (now >= verification.deadline) return next.ineffective(`the fix could not be verified in time: ${because}`, { question });
    return next
      .note(question, because)
      .look(Math.min(verification.deadline, now + 5_000))
      .done();
  }
  if (hasEnded(state) && state !== 'cleared') return next.done();
  next.leave();
  if (doubts >= DOUBTS)
    return next
      .to('reported', `it cannot be examined: ${because}`, { question })
      .look(now + RECHECK)
      .done();
  return next
    .to('waiting', `not certain: ${because}`, { question })
    .look(now + 5_000 * 2 ** (doubts - 1))
    .done();
}
