import type { Artifacts } from './artifacts/artifacts.ts';
import { backUp, backUpZnode } from './backup.ts';
import type { Read } from './cluster.ts';
import { examine, type Recorder } from './examine.ts';
import { ownStamp, rehearse, type Sender } from './execute.ts';
import { modeOf, openBreaker, pausedBy, spendBudgets, switchedOff } from './gates.ts';
import type { Incident, LockedStep } from './incident.ts';
import type { Input } from './input.ts';
import { inversePlan } from './inverse.ts';
import { nameOf } from './kubernetes/object.ts';
import type { Plan, Step, Target } from './plan.ts';
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
  const withhold = gate(effect);
  if (!plan) return withhold('there is no plan');
  const mode = await modeOf(state, remediation.name, incident.object.namespace);
  if (mode === 'shadow') return withhold('the mode is shadow again');
  if ((mode === 'approve' || plan.approval === 'always') && incident.approval?.hash !== plan.hash)
    return withhold('nobody approved this plan', now() + 1_000);
  const paused = await pausedBy(state, remediation.name);
  if (paused) return withhold(paused, now() + 60_000);
  const breaker = await openBreaker(state, incident, remediation);
  if (breaker) return withhold(breaker);
  if (now() >= plan.expiresAt) return { kind: 'conflict', effect, because: 'the plan expired' };
  return withTargets(preparation, plan, async () => {
    const again = await examine(remediation, incident, 'before-write', cluster, now());
    if (again.plan?.hash !== plan.hash) return { kind: 'examined', effect, question: 'before-write', ...again };
    const locked = await lockAndRehearse(preparation, plan, again.reads);
    const spent = locked.kind === 'prepared' && (await spendBudgets(state, incident, remediation, plan, now()));
    return spent ? withhold(spent) : locked;
  });
}

/** The same for the way back. The question is another one: do the live fields still equal what was written? Breakers and budgets hold fixes back, not their undoing. */
async function prepareUndo(preparation: Preparation): Promise<Input> {
  const { incident, remediation, effect, state, artifacts, cluster, now } = preparation;
  const withhold = withholder(effect);
  const off = await switchedOff(state, incident);
  if (off) return gate(effect)(off);
  const plan = await inversePlan(incident, remediation, cluster, artifacts, now());
  if (!('steps' in plan)) return withhold(plan.because);
  return withTargets(preparation, plan, async () => {
    const prepared = await lockAndRehearse(preparation, plan, cluster.reads);
    return prepared.kind === 'prepared' ? { ...prepared, plan } : prepared;
  });
}

/** A gate of kubemend itself is closed. */
const gate =
  (effect: string) =>
  (because: string, again?: number): Input => ({ kind: 'withheld', effect, because, again, open: true });

const withholder =
  (effect: string) =>
  (because: string, again?: number): Input => ({ kind: 'withheld', effect, because, again });

/** Prepares while it holds the lease of every target. They stay leased for the write that follows, and for nothing else. */
async function withTargets({ incident, effect, state, now }: Preparation, { steps }: Plan, work: () => Promise<Input>): Promise<Input> {
  let result: Input | undefined;
  try {
    for (const { target } of steps) {
      if (await state.lease(leaseOf(incident, target), incident.id, now() + LEASE, now())) continue;
      return withholder(effect)(`another incident is changing ${nameOf(target)}`, now() + 2_000);
    }
    result = await work();
    return result;
  } finally {
    if (result?.kind !== 'prepared') await releaseTargets(state, incident, steps);
  }
}

/** What one incident at a time writes. The kind comes first: a function may lease only objects of the kinds that it may write (infra/policies.ts). */
const leaseOf = ({ cluster }: Incident, { group, resource, namespace = '', name }: Target): string =>
  `target/${group}/${resource}/${cluster}/${namespace}/${name}`;

/** Lets others write what this incident held; what it never held stays as it is. */
export async function releaseTargets(state: State, incident: Incident, steps: Step[]): Promise<void> {
  for (const { target } of steps) await state.release(leaseOf(incident, target), incident.id);
}

async function lockAndRehearse(preparation: Preparation, plan: Plan, reads: Read[]): Promise<Input> {
  const { incident, remediation, effect, artifacts, cluster, sender, now } = preparation;
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
    if (rehearsal.kind === 'conflict') return { kind: 'conflict', effect, because: `the dry run was refused: ${rehearsal.because}` };
    if (rehearsal.kind !== 'written') return { kind: 'doubt', effect, question: 'before-write', because: rehearsal.because };
    steps.push(lock);
  }
  return { kind: 'prepared', effect, steps, reads };
}
