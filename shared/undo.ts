import type { Draft } from './draft.ts';
import { doneOf, hasEnded, type Incident, isUnanswered, type Undo } from './incident.ts';
import type { Context, Input } from './input.ts';

/** A target is leased for a minute at most, and asked for every two seconds. */
const TRIES = 40;

/** A person wants back what was there before. Taken where something was written, or may have been, and nothing is being written now. */
export function onUndo(next: Draft, by: string): Incident | undefined {
  const { state } = next.incident;
  if (['executing', 'undoing', 'undone'].includes(state) || (doneOf(next.incident).length === 0 && !isUnanswered(next.incident)))
    return undefined;
  const { undo, undone = [] } = next.incident;
  // What an undo that stopped between two steps has written back stays known.
  if (undo?.plan && undo.execution?.written.length) next.set({ undone: [...undone, { plan: undo.plan, execution: undo.execution }] });
  next.set({ undo: { by, from: state }, look: undefined });
  return next.to('undoing', `${by} wants it undone`, { by }).effect({ kind: 'prepare' }).done();
}

/** The way back, step by step. Undefined for everything that is not its business. */
export function onUndoing(next: Draft, input: Input, { now }: Context): Incident | undefined {
  const { state, undo, look } = next.incident;
  if (state !== 'undoing' || !undo) return undefined;
  const { execution } = undo;
  switch (input.kind) {
    case 'prepared':
      next.set({ undo: { ...undo, plan: input.plan, execution: { preparedAt: now, steps: input.steps, written: [] } } });
      return next
        .note('before-write', 'the fields still equal what was written: locks taken', { reads: input.reads })
        .effect({ kind: 'write', step: 0 })
        .done();
    case 'written': {
      if (!execution) return undefined;
      const written = [...execution.written, input.written];
      next.set({ undo: { ...undo, execution: { ...execution, written } } });
      if (written.length < execution.steps.length) return next.effect({ kind: 'write', step: written.length }).done();
      return next
        .to(
          'undone',
          `undone, as ${undo.by} wanted: ${written.length === 1 ? 'the step is' : `${written.length} steps are`} written back`,
          { by: undo.by },
        )
        .done();
    }
    case 'withheld': {
      const { by, from, tries = 0 } = undo;
      if (input.again === undefined || tries >= TRIES || (execution?.written.length ?? 0) > 0)
        return back(next, undo, input.because, now, input.open);
      // Not even tried, as after a crash, or somebody else is writing there just now: prepared anew.
      return next
        .set({ undo: { by, from, tries: tries + 1 } })
        .look(input.again)
        .done();
    }
    case 'due':
      return look?.token === input.token ? next.set({ look: undefined }).effect({ kind: 'prepare' }).done() : undefined;
    case 'conflict':
      return back(next, undo, input.because, now);
    case 'doubt':
      return input.question === 'before-write' ? back(next, undo, input.because, now) : next.done();
    case 'broken':
      return next.to('failed', `while it was undone: ${input.because}`).done();
    case 'examined':
      // An answer from before: nobody asks it any more.
      return next.done();
    default:
      return undefined;
  }
}

/** Nothing was undone: it is again what it was, and that is told. */
function back(next: Draft, { from, execution }: Undo, because: string, now: number, open?: true): Incident {
  if (execution && execution.written.length > 0) {
    return next.to('failed', `stopped between two steps of the way back: ${because}`).done();
  }
  next.set({ undo: undefined }).to(from, `nothing was undone: ${because}`, { open });
  if (hasEnded(from)) return next.done();
  // Its examination was given up for the undo, and no timer asks it.
  return from === 'detected' ? next.effect({ kind: 'examine', question: 'detect' }).done() : next.look(now + 1_000).done();
}
