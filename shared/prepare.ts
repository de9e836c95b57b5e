import type { Artifacts } from './artifacts/artifacts.ts';
import { TARGET_LEASE_MS } from './attempt.ts';
import { backUp, backUpZnode } from './backup.ts';
import { beyondDeclared } from './beyond-declared.ts';
import type { Read } from './cluster.ts';
import { examine, type Recorder } from './examine.ts';
import { rehearse } from './execute.ts';
import { type Blocked, guardWrite } from './guard-write.ts';
import { doneOf, type Incident, type LockedStep } from './incident.ts';
import type { Input } from './input.ts';
import { inversePlan } from './inverse.ts';
import { nameOf } from './kubernetes/object.ts';
import type { Plan, Step } from './plan.ts';
import type { Remediation } from './remediation.ts';
import type { Sender } from './sender.ts';
import type { State } from './state/state.ts';
import { holdTargets, releaseTargets } from './targets.ts';
import { ownStamp } from './trace.ts';
import { isZnodeStep } from './znode-step.ts';

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

/** Everything that must hold before the first write. Anything else: nothing is written. */
export const prepare = (preparation: Preparation): Promise<Input> =>
  preparation.incident.state === 'undoing' ? prepareUndo(preparation) : prepareFix(preparation);

/** The guards, the third question, locks, a dry run, and the guards again with the locks. */
async function prepareFix(preparation: Preparation): Promise<Input> {
  const { incident, remediation, effect, cluster, now } = preparation;
  const { plan } = incident;
  if (!plan) return block(effect, { reason: 'there is no plan' });
  const blocked = await guardWrite({ ...preparation, plan, now: now() });
  if (blocked) return block(effect, blocked);
  return withTargets(preparation, plan, async () => {
    const again = await examine(remediation, incident, 'before-write', cluster, now());
    if (again.plan?.hash !== plan.hash) return { kind: 'examined', effect, question: 'before-write', ...again };
    return lockAndRehearse(preparation, plan, again.reads);
  });
}

/** The same for the way back. The question is another one: do the live fields still equal what was written? */
async function prepareUndo(preparation: Preparation): Promise<Input> {
  const { incident, remediation, effect, artifacts, cluster, now } = preparation;
  const blocked = await guardWrite({ ...preparation, now: now() });
  if (blocked) return block(effect, blocked);
  if (doneOf(incident).length === 0) return withhold(effect, 'no request of this incident is known to have taken effect');
  const plan = await inversePlan(incident, remediation, cluster, artifacts, now());
  if (!('steps' in plan)) return withhold(effect, plan.because);
  return withTargets(preparation, plan, async () => {
    const prepared = await lockAndRehearse(preparation, plan, cluster.reads);
    return prepared.kind === 'prepared' ? { ...prepared, plan } : prepared;
  });
}

/** A guard of kubemend itself blocks the write. */
const block = (effect: string, { reason, again }: Blocked): Input => ({ kind: 'withheld', effect, because: reason, again, open: true });

const withhold = (effect: string, because: string, again?: number): Input => ({ kind: 'withheld', effect, because, again });

/** Prepares while it holds the lease of every target. They stay leased for the write that follows, and for nothing else. */
async function withTargets({ incident, effect, state, now }: Preparation, { steps }: Plan, work: () => Promise<Input>): Promise<Input> {
  let result: Input | undefined;
  try {
    const taken = await holdTargets(state, incident, steps, { until: now() + TARGET_LEASE_MS, now: now() });
    if (taken) return withhold(effect, `another incident is changing ${nameOf(taken)}`, now() + 2_000);
    result = await work();
    return result;
  } finally {
    if (result?.kind !== 'prepared') await releaseTargets(state, incident, steps);
  }
}

async function lockAndRehearse(preparation: Preparation, plan: Plan, reads: Read[]): Promise<Input> {
  const { incident, remediation, effect, artifacts, cluster, sender, now } = preparation;
  const preparedAt = now();
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
    const beyond = await beyondDeclared(remediation, step, incident.id, cluster, artifacts);
    if (beyond) return withhold(effect, beyond);
    const rehearsal = await rehearse({ step, lock, incident: incident.id, now: now(), sender, artifacts });
    if (rehearsal.kind === 'forbidden')
      return withhold(effect, `no permission: ${rehearsal.because}. Apply the RBAC of ${remediation.name}`);
    if (rehearsal.kind === 'conflict') return { kind: 'conflict', effect, because: `the dry run was refused: ${rehearsal.because}` };
    if (rehearsal.kind !== 'written') return { kind: 'doubt', effect, question: 'before-write', because: rehearsal.because };
    steps.push(lock);
  }
  const blocked = await guardWrite({ ...preparation, plan, execution: { preparedAt }, now: now() });
  return blocked ? block(effect, blocked) : { kind: 'prepared', effect, steps, reads };
}
