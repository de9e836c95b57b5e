import type { Artifacts } from './artifacts/artifacts.ts';
import { backUp, backUpZnode } from './backup.ts';
import { examine, type Recorder } from './examine.ts';
import { ownStamp, rehearse, type Sender } from './execute.ts';
import { isPaused, modeOf, openBreaker, spendBudgets } from './gates.ts';
import type { Incident, LockedStep } from './incident.ts';
import type { Input } from './input.ts';
import { nameOf } from './kubernetes/object.ts';
import type { Step } from './plan.ts';
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

/** Everything that must hold directly before writing: the gates, the third question, locks, a rehearsal, the budgets. Anything else: nothing is written. */
export async function prepare({ incident, remediation, effect, state, artifacts, cluster, sender, now }: Preparation): Promise<Input> {
  const { plan } = incident;
  const withhold = (because: string, again?: number): Input => ({ kind: 'withheld', effect, because, again });
  if (!plan) return withhold('there is no plan');
  const mode = await modeOf(state, remediation.name, incident.object.namespace);
  if (mode === 'shadow') return withhold('the mode is shadow again');
  if ((mode === 'approve' || plan.approval === 'always') && incident.approval?.hash !== plan.hash)
    return withhold('nobody approved this plan', now() + 1_000);
  if (await isPaused(state, remediation.name)) return withhold('kubemend is paused', now() + 60_000);
  const breaker = await openBreaker(state, incident, remediation);
  if (breaker) return withhold(breaker);
  if (now() >= plan.expiresAt) return { kind: 'conflict', effect, because: 'the plan expired' };

  for (const { target } of plan.steps) {
    const lease = `target/${incident.cluster}/${target.group}/${nameOf(target)}`;
    if (!(await state.lease(lease, incident.id, now() + LEASE, now())))
      return withhold(`another incident is changing ${nameOf(target)}`, now() + 2_000);
  }

  const again = await examine(remediation, incident, 'before-write', cluster, now());
  if (again.plan?.hash !== plan.hash) return { kind: 'examined', effect, question: 'before-write', ...again };

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
  const spent = await spendBudgets(state, incident, remediation, now());
  return spent ? withhold(spent) : { kind: 'prepared', effect, steps, reads: again.reads };
}
