import { isInFuture } from './clock-step.ts';
import { effectiveMode, openBreaker, pausedBy, spendBudgets } from './guards.ts';
import type { Execution, Incident } from './incident.ts';
import { isExpired, type Plan } from './plan.ts';
import type { Remediation } from './remediation.ts';
import type { State } from './state/state.ts';

/** Locks are worth this long; after that the third question is asked again. Milliseconds. */
const LOCK_LIFETIME_MS = 30_000;
/** A pause is read again this often. Milliseconds. */
const PAUSE_RECHECK_MS = 60_000;

/** Why nothing may be written now, in kubemend's own words. `again`: when the incident starts over, milliseconds; absent: not by itself. */
export interface Blocked {
  reason: string;
  again?: number | undefined;
}

interface Guarded {
  state: State;
  incident: Incident;
  remediation: Remediation;
  now: number;
  /** Absent: the plan of an undo that is not made yet. */
  plan?: Plan | undefined;
  /** The locks that the write rests on; absent while they are not taken. With them, the budgets are spent, once for each plan. */
  execution?: Pick<Execution, 'preparedAt'> | undefined;
}

/**
 * The one place that says whether kubemend may write: pause, mode, approval, breakers, expiry, freshness of the locks, budgets. `prepare` asks it before
 * and after it takes the locks, and each step immediately before its write. Undefined: it may. Throws when the state cannot answer; then nothing is written.
 */
export async function guardWrite(guarded: Guarded): Promise<Blocked | undefined> {
  const { state, incident, remediation, plan, execution, now } = guarded;
  const undoing = incident.state === 'undoing';
  const paused = await pausedBy(state, remediation.name);
  if (paused) return { reason: paused, ...(!undoing && { again: now + PAUSE_RECHECK_MS }) };
  // An undo is a person's own command: modes, breakers and budgets hold back fixes, not the way back.
  const blocked = undoing ? undefined : await guardFix(guarded);
  if (blocked) return blocked;
  if (execution && (now - execution.preparedAt > LOCK_LIFETIME_MS || isInFuture(execution.preparedAt, now)))
    return { reason: 'the locks were taken too long ago', again: now };
  if (plan && isExpired(plan, now)) return { reason: 'the plan expired', again: now };
  if (!execution) return undefined;
  const spent = !undoing && plan && (await spendBudgets(state, incident, remediation, plan, now));
  return spent ? { reason: spent } : undefined;
}

async function guardFix({ state, incident, remediation, plan, now }: Guarded): Promise<Blocked | undefined> {
  const mode = await effectiveMode(state, incident, plan);
  if (mode === 'shadow') return { reason: 'the mode is shadow again', again: now };
  if ((mode === 'approve' || plan?.approval === 'always') && incident.approval?.hash !== plan?.hash)
    return { reason: 'the plan is not approved', again: now + 1_000 };
  const breaker = await openBreaker(state, incident, remediation, plan);
  return breaker ? { reason: breaker } : undefined;
}
