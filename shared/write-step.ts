import type { Access } from './acting.ts';
import type { Artifacts } from './artifacts/artifacts.ts';
import { CONFIRM_MISSING_MS, sendLimit, settlesAfter, TARGET_LEASE_MS } from './attempt.ts';
import { execute } from './execute.ts';
import { guardWrite } from './guard-write.ts';
import { type Attempt, type Effect, type Execution, type Incident, type LockedStep, workOf } from './incident.ts';
import type { Input } from './input.ts';
import { nameOf } from './kubernetes/object.ts';
import type { Plan, Step } from './plan.ts';
import type { Remediation } from './remediation.ts';
import type { Sender } from './sender.ts';
import type { State } from './state/state.ts';
import { holdTargets, releaseTargets } from './targets.ts';
import { trace } from './trace.ts';

/** While the object of an unanswered request cannot be read it is tried again, more and more rarely. Milliseconds. */
const RETRY_MS = 30_000;
const MAX_WAIT_MS = 300_000;
const SILENT = 'the process that sent it gave no answer';

interface Surroundings {
  incident: Incident;
  remediation: Remediation;
  state: State;
  artifacts: Artifacts;
  now: () => number;
  monotonic?: () => number;
  onProblem(message: string): void;
  /** Stores an input at once; false: another process was faster. */
  store(input: Input): Promise<boolean>;
}

/** One step on its way, with the execution it belongs to. */
interface Write extends Surroundings {
  effect: string;
  plan: Plan;
  execution: Execution;
  /** Which step of the execution. */
  number: number;
  step: Step;
  lock: LockedStep;
  sender: Sender;
}

/** Sends a step, or looks for what came of it where it may have been sent before. Undefined: it stays in the outbox. */
export async function writeStep({
  access,
  effect,
  ...surroundings
}: Surroundings & { access: Access; effect: Extract<Effect, { kind: 'write' }> }): Promise<Input | undefined> {
  const { execution, plan } = workOf(surroundings.incident);
  const [lock, { sender }] = [execution?.steps[effect.step], access];
  const step = lock && plan?.steps[lock.index];
  if (!execution || !plan || !step || !sender)
    return { kind: 'broken', effect: effect.id, because: 'the record lacks the step that was to be written' };
  const write: Write = { ...surroundings, effect: effect.id, plan, execution, number: effect.step, step, lock, sender };
  return execution.attempted ? settle(write, execution.attempted) : attempt(write);
}

async function attempt(write: Write): Promise<Input | undefined> {
  const { incident, remediation, effect, plan, execution, number, step, lock, sender, artifacts, state, now, store } = write;
  const { monotonic = () => performance.now() } = write;
  const limit = sendLimit({ now, monotonic });
  const held = await holdTargets(state, incident, plan.steps, { until: now() + TARGET_LEASE_MS, now: now() });
  if (held) return { kind: 'withheld', effect, because: `another incident is changing ${nameOf(held)}`, again: now() + 2_000 };
  if (!(await store({ kind: 'writing', step: number }))) return undefined;
  const guard = () => guardWrite({ state, incident, remediation, plan, execution, now: now() });
  const result = await execute({ step, lock, incident: incident.id, now: now(), sender, artifacts, guard, sendLimit: limit });
  switch (result.kind) {
    case 'written':
      return { kind: 'written', effect, written: { index: lock.index, ...result.written } };
    case 'conflict':
      return { kind: 'conflict', effect, because: result.because, sent: result.sent };
    case 'withheld': {
      // Not even sent: what is left of the plan starts over with the first question.
      const { blocked, because } = result;
      return { kind: 'withheld', effect, because, again: blocked ? blocked.again : now(), ...(blocked && { open: true }) };
    }
    case 'forbidden': {
      const because = `no permission: ${result.because}. Apply the RBAC of ${incident.remediation}`;
      return { kind: execution.written.length > 0 ? 'broken' : 'withheld', effect, because };
    }
    case 'unknown':
      return unanswered(write, result.because);
  }
}

/** The request of this step may have been sent, and its answer is missing. */
async function settle(write: Write, { until, missing, tries = 0 }: Attempt): Promise<Input | undefined> {
  const { incident, effect, step, lock, sender, artifacts, now, onProblem } = write;
  const found = await trace({ step, lock, incident: incident.id, now: now(), sender, artifacts });
  switch (found.kind) {
    case 'written':
      return { kind: 'written', effect, written: { index: lock.index, ...found.written } };
    case 'overtaken':
      return { kind: 'not-found', effect, overtaken: found.reason };
    case 'unreadable':
      if (found.sent) return unanswered(write, found.reason, { ended: true, after: Math.min(MAX_WAIT_MS, RETRY_MS * 2 ** tries) });
      onProblem(`Incident ${incident.id}: whether its step is written is looked for later: ${found.reason}`);
      return undefined;
    case 'unwritten':
      // Whoever misses the answer first begins the wait: no clock of another process is trusted for it.
      if (until === undefined || now() < until) return unanswered(write, SILENT, { ended: true });
      if (missing) return { kind: 'not-found', effect };
      return { kind: 'unanswered', effect, because: SILENT, until: now() + CONFIRM_MISSING_MS, ended: true, missing: true };
  }
}

/** Keeps the targets leased until the request can no longer take effect, counted from now. */
async function unanswered(
  { incident, plan, effect, step, state, now }: Write,
  because: string,
  { ended, after = 0 }: { ended?: true; after?: number } = {},
): Promise<Input> {
  const until = now() + Math.max(after, settlesAfter(step));
  await holdTargets(state, incident, plan.steps, { until: until + TARGET_LEASE_MS, now: now() });
  return { kind: 'unanswered', effect, because, until, ...(ended && { ended }) };
}

/** Stores what came of an effect, and lets go of the targets of a write that is over. */
export async function recordResult({
  state,
  incident,
  effect,
  input,
  store,
}: Pick<Surroundings, 'state' | 'incident' | 'store'> & { effect: Effect; input: Input }): Promise<void> {
  const isStored = await store(input);
  const { execution, plan } = workOf(incident);
  if (effect.kind !== 'write' || !execution || !plan) return;
  const goesOn = input.kind === 'unanswered' || (input.kind === 'written' && effect.step < execution.steps.length - 1);
  if (isStored && !goesOn) await releaseTargets(state, incident, plan.steps);
  if (isStored || input.kind !== 'written') return;
  // Another process has missed the answer in the meantime. It came all the same.
  const { preparedAt } = execution;
  await store({ kind: 'took-effect', planHash: plan.hash, preparedAt, written: input.written });
}

/**
 * Looks for requests that were given up: whatever is decided next rests on whether they took effect. Throws when that cannot be known.
 * Where a newer incident of the same object exists, our mark may be of its write, and proves nothing about this one.
 */
export async function lateEffect(
  incident: Incident,
  effect: string,
  { sender, artifacts, state, now }: { sender: Sender | undefined; artifacts: Artifacts; state: State; now: number },
): Promise<Input | undefined> {
  if ((incident.unanswered ?? []).length === 0 || (await state.latest(incident.key))?.id !== incident.id) return undefined;
  for (const { plan, execution, overtaken } of incident.unanswered ?? []) {
    const lock = execution.attempted && execution.steps[execution.attempted.step];
    const step = lock && plan.steps[lock.index];
    if (!step || !sender || overtaken) continue;
    const found = await trace({ step, lock, incident: incident.id, now, sender, artifacts });
    if (found.kind === 'unreadable') throw new Error(found.reason);
    if (found.kind !== 'written') continue;
    const { preparedAt } = execution;
    return { kind: 'took-effect', effect, planHash: plan.hash, preparedAt, written: { index: lock.index, ...found.written } };
  }
  return undefined;
}
