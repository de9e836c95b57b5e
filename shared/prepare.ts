import type { Artifacts } from './artifacts/artifacts.ts';
import { backUp, backUpZnode } from './backup.ts';
import type { Read } from './cluster.ts';
import { examine, type Recorder } from './examine.ts';
import { ownStamp, rehearse, type Sender } from './execute.ts';
import { isPaused, modeOf, openBreaker, spendBudgets, switchedOff } from './gates.ts';
import type { Incident, LockedStep } from './incident.ts';
import type { Input } from './input.ts';
import { inversePlan } from './inverse.ts';
import { nameOf } from './kubernetes/object.ts';
import type { Plan, Step } from './plan.ts';
import type { Remediation } from './remediation.ts';
import type { State } from './state/state.ts';
import { isZnodeStep } from './znode-step.ts';

/** How long the targets stay leased: long enough for one burst of writes, short enough to outlive a crash. */
const LEASE = 60_000;

interface Preparation {
  incident: Incident;
  remediation: Remediation;
  effect: string;
  state: State;
  artifacts: Artifacts;
  cluster: Recorder;
  sender: Sender;
  now: () => number;
}

/** Everything that must hold directly before writing. Anything else: nothing is written. */
export const prepare = (preparation: Preparation): Promise<Input> =>
  preparation.incident.state === 'undoing' ? prepareUndo(preparation) : prepareFix(preparation);

/** The gates, the third question, locks, a rehearsal, the budgets. */
async function prepareFix(preparation: Preparation): Promise<Input> {
  const { incident, remediation, effect, state, cluster, now } = preparation;
  const { plan } = incident;
  const withhold = withholder(effect);
  if (!plan) return withhold('there is no plan');
  const mode = await modeOf(state, remediation.name, incident.object.namespace);
  if (mode === 'shadow') return withhold('the mode is shadow again');
  if ((mode === 'approve' || plan.approval === 'always') && incident.approval?.hash !== plan.hash)
    return withhold('nobody approved this plan', now() + 1_000);
  if (await isPaused(state, remediation.name)) return withhold('kubemend is paused', now() + 60_000);
  const breaker = await openBreaker(state, incident, remediation);
  if (breaker) return withhold(breaker);
  if (now() >= plan.expiresAt) return { kind: 'conflict', effect, because: 'the plan expired' };
  const busy = await leaseTargets(preparation, plan);
  if (busy) return withhold(busy, now() + 2_000);
  const again = await examine(remediation, incident, 'before-write', cluster, now());
  if (again.plan?.hash !== plan.hash) return { kind: 'examined', effect, question: 'before-write', ...again };
  return lockAndRehearse(preparation, plan, again.reads);
}

/** The same for the way back. The question is another one: do the live fields still equal what was written? A breaker stops fixes, not their undoing. */
async function prepareUndo(preparation: Preparation): Promise<Input> {
  const { incident, remediation, effect, state, artifacts, cluster, now } = preparation;
  const withhold = withholder(effect);
  const off = await switchedOff(state, incident);
  if (off) return withhold(off);
  const plan = await inversePlan(incident, remediation, cluster, artifacts, now());
  if (!('steps' in plan)) return withhold(plan.because);
  const busy = await leaseTargets(preparation, plan);
  if (busy) return withhold(busy);
  const prepared = await lockAndRehearse(preparation, plan, cluster.reads);
  return prepared.kind === 'prepared' ? { ...prepared, plan } : prepared;
}

const withholder =
  (effect: string) =>
  (because: string, again?: number): Input => ({ kind: 'withheld', effect, because, again });

/** Takes the lease of every target; says which one another incident holds, if one does. */
async function leaseTargets({ incident, state, now }: Preparation, { steps }: Plan): Promise<string | undefined> {
  for (const { target } of steps) {
    const lease = `target/${incident.cluster}/${target.group}/${nameOf(target)}`;
    if (!(await state.lease(lease, incident.id, now() + LEASE, now()))) return `another incident is changing ${nameOf(target)}`;
  }
  return undefined;
}

async function lockAndRehearse(preparation: Preparation, plan: Plan, reads: Read[]): Promise<Input> {
  const { incident, remediation, effect, state, artifacts, cluster, sender, now } = preparation;
  const withhold = withholder(effect);
  const lockStep = async (step: Step): Promise<Omit<LockedStep, 'index'>> => {
    // The lock of a node is part of the plan; it is compared when rehearsing and when writing.
    if (step.kind === 'delete-znode') return { backup: await backUpZnode(artifacts, incident, plan, step, cluster) };
    if (isZnodeStep(step)) return {};
    const live = step.kind === 'create' ? undefined : await cluster.get(step.target);
    const backup = await backUp(artifacts, incident, plan, step, live);
    return { resourceVersion: live?.metadata.resourceVersion, stamp: live && ownStamp(live, step), backup };
  };
  const steps: LockedStep[] = [];
  for (const [index, step] of plan.steps.entries()) {
    const lock = { index, ...(await lockStep(step)) };
    const rehearsal = await rehearse({ step, lock, incident: incident.id, now: now(), sender, artifacts });
    if (rehearsal.kind === 'forbidden') return withhold(`no permission: ${rehearsal.because}. Apply the RBAC of ${remediation.name}`);
    if (rehearsal.kind === 'unknown') return { kind: 'doubt', effect, question: 'before-write', because: rehearsal.because };
    if (rehearsal.kind === 'conflict') return { kind: 'conflict', effect, because: `the dry run was refused: ${rehearsal.because}` };
    steps.push(lock);
  }
  const spent = await spendBudgets(state, incident, remediation, plan, now());
  return spent ? withhold(spent) : { kind: 'prepared', effect, steps, reads };
}
