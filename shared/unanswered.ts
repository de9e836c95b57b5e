import type { Draft } from './draft.ts';
import { type Done, hasEnded, type Incident, type Unanswered, workOf } from './incident.ts';
import type { Context, Input } from './input.ts';
import { pathOf } from './kubernetes/object.ts';
import { verify } from './written.ts';
import { isZnodeStep } from './znode-step.ts';

/*
 * The part of `advance` that is about requests whose answer is missing: a step is `attempted` before it is sent, and stays so until its result is known.
 *
 *   writing ─► written | conflict | withheld | broken      an answer came
 *          └─► unanswered ─► (look at `until`) ─► written  our write is there
 *                                            └─► not-found: kept in `unanswered`, and looked for again before anything else is decided ─► took-effect
 */

/** A record is limited: what is older was overtaken long ago. */
const MAX_KEPT = 5;

type InputOf<K extends Input['kind']> = Extract<Input, { kind: K }>;

/** Undefined where another process has stored that it sends this step: one of them does. */
export function onWriting(next: Draft, { step }: InputOf<'writing'>, { now }: Context): Incident | undefined {
  const { effects } = next.incident;
  const { execution } = workOf(next.incident);
  const wanted = effects.some((effect) => effect.kind === 'write' && effect.step === step);
  if (!wanted || !execution || execution.attempted) return undefined;
  return next.execution({ attempted: { step, at: now } }).done();
}

/** The step stays attempted; it is looked for when the request can no longer take effect. */
export function onNoAnswer(next: Draft, { because, until, ended, missing }: InputOf<'unanswered'>): Incident | undefined {
  const attempted = workOf(next.incident).execution?.attempted;
  if (!attempted) return undefined;
  const reason = attempted.reason ?? (ended ? undefined : because);
  next.execution({ attempted: { ...attempted, until, reason, missing, tries: (attempted.tries ?? 0) + 1 } });
  return next
    .to(next.incident.state, `not known yet whether step ${attempted.step + 1} is written: ${reason ?? because}`)
    .look(until)
    .done();
}

/** The look that an unanswered step waits for. */
export function onSettle(next: Draft, input: Input): Incident | undefined {
  const attempted = workOf(next.incident).execution?.attempted;
  if (input.kind !== 'due' || attempted?.until === undefined || next.incident.look?.token !== input.token) return undefined;
  return next.set({ look: undefined }).effect({ kind: 'write', step: attempted.step }).done();
}

/** What a result says about the step that was attempted. A request that was not found is kept, and the incident goes on without it. */
export function conclude(next: Draft, input: Input, now: number): Input {
  const { plan, execution } = workOf(next.incident);
  const attempted = execution?.attempted;
  if (!attempted) return input;
  if (input.kind === 'took-effect' && plan?.hash === input.planHash && execution?.preparedAt === input.preparedAt) {
    // The answer came after somebody else had missed it, and before anybody gave the request up.
    next.execution({ attempted: undefined }).set({ look: undefined, effects: withoutWork(next.incident) });
    return { kind: 'written', effect: '', written: input.written };
  }
  if (input.kind === 'not-found') keepUnanswered(next, input.overtaken !== undefined);
  if (input.kind === 'written') forgetFenced(next, attempted.step);
  if (['written', 'conflict', 'withheld', 'broken', 'not-found'].includes(input.kind)) next.execution({ attempted: undefined });
  if (input.kind !== 'not-found') return input;
  const { effect, overtaken } = input;
  const { step, reason } = attempted;
  if (overtaken)
    return { kind: 'broken', effect, because: `not known to be written: ${overtaken}, and ${reason ?? 'the process died while it wrote'}` };
  if (reason)
    return { kind: 'broken', effect, because: `step ${step + 1} was not written: ${reason}. The request can no longer take effect` };
  const because = 'the process ended before it wrote, and the request can no longer take effect';
  return { kind: 'withheld', effect, because, again: now };
}

/** A write under a lock that was taken while an older request had not taken effect: that one never will, and our new mark on the object says nothing about it. */
function forgetFenced(next: Draft, number: number): void {
  const { unanswered = [] } = next.incident;
  const lockedBy = ({ plan, execution }: Partial<Done>, step = execution?.attempted?.step) => {
    const lock = step === undefined ? undefined : execution?.steps[step];
    const written = lock && plan?.steps[lock.index];
    return written && `${pathOf(written.target, written.target.name)} ${isZnodeStep(written) ? written.path : ''} ${lock.stamp}`;
  };
  const written = lockedBy(workOf(next.incident), number);
  if (unanswered.length > 0) next.set({ unanswered: unanswered.filter((one) => lockedBy(one) !== written) });
}

/** Keeps what is being written as a request that may have taken effect. */
export function keepUnanswered(next: Draft, overtaken = false): void {
  const { state, undo, unanswered = [] } = next.incident;
  const { plan, execution } = workOf(next.incident);
  if (!plan || !execution?.attempted) return;
  const by = state === 'undoing' && undo ? { by: undo.by } : {};
  next.set({ unanswered: [...unanswered, { plan, execution, ...by, ...(overtaken && { overtaken }) }].slice(-MAX_KEPT) });
}

/** A request that was given up took effect after all: its write is recorded as every other, and can be undone. */
export function onTookEffect(next: Draft, input: InputOf<'took-effect'>, context: Context): Incident | undefined {
  const { unanswered = [], state, past = [] } = next.incident;
  const found = unanswered.find(({ plan, execution }) => plan.hash === input.planHash && execution.preparedAt === input.preparedAt);
  if (!found) return 'effect' in input ? next.done() : undefined;
  const { plan, by } = found;
  const execution = { ...found.execution, attempted: undefined, written: [...found.execution.written, input.written] };
  const whole = execution.written.length === execution.steps.length;
  const because = `step ${input.written.index + 1} was written after all: its answer was lost`;
  next.set({ unanswered: unanswered.filter((one) => one !== found), byHand: undefined });
  if (by !== undefined) return onUndone(next, { plan, execution, by }, because, whole);
  const free = !['applied', 'undoing'].includes(state) && (!hasEnded(state) || state === 'cleared');
  if (whole && free) {
    next.leave({ plan, execution, effects: next.incident.effects.filter(({ kind }) => kind !== 'examine' && kind !== 'prepare') });
    return verify(next, because, context);
  }
  next.set({ past: [...past, { plan, execution }] });
  if ('effect' in input) return goOn(next, because);
  return next.to(state, because).done();
}

function onUndone(next: Draft, { plan, execution, by }: Unanswered & { by: string }, because: string, whole: boolean): Incident {
  next.set({ undo: { by, from: next.incident.state, plan, execution }, look: undefined, effects: withoutWork(next.incident) });
  return whole
    ? next.to('undone', `undone, as ${by} wanted: ${because}`, { by }).done()
    : next.to('failed', `while it was undone: ${because}`).done();
}

/** What was asked is asked again: it rests on a record that has changed. */
function goOn(next: Draft, because: string): Incident {
  const { state } = next.incident;
  if (state === 'undoing') return next.note('before-write', because).effect({ kind: 'prepare' }).done();
  if (state === 'applied') return next.note('verify', because).effect({ kind: 'examine', question: 'verify' }).done();
  if (hasEnded(state) && state !== 'cleared') return next.to(state, because).done();
  return next.leave().to('detected', because).effect({ kind: 'examine', question: 'detect' }).done();
}

/** The outbox without what acts in the cluster. */
export const withoutWork = ({ effects }: Incident): Incident['effects'] =>
  effects.filter(({ kind }) => kind !== 'examine' && kind !== 'prepare' && kind !== 'write');
