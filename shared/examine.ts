import { doneByHand } from './by-hand.ts';
import type { Json } from './canonical.ts';
import { type Cluster, Doubt, type Read } from './cluster.ts';
import { documentChanges } from './document-changes.ts';
import { liveValues } from './evidence.ts';
import { valuesBefore } from './field-changes.ts';
import { asHints } from './hint.ts';
import { doneOf, type Incident } from './incident.ts';
import { type KubernetesObject, nameOf } from './kubernetes/object.ts';
import { whoWouldRevert } from './kubernetes/ownership.ts';
import { makePlan, type Plan, type Step } from './plan.ts';
import type { Question, Remediation } from './remediation.ts';
import { clear, report, type Verdict } from './verdict.ts';
import { isZnodeStep } from './znode-step.ts';

/** A cluster that keeps what was read. */
export interface Recorder extends Cluster {
  readonly reads: Read[];
}

export interface Examined {
  verdict: Verdict;
  plan?: Plan;
  byHand?: true;
  reads: Read[];
}

/** Asks a remediation one of its four questions. What it may not fix itself (somebody else owns the target) becomes a report; what it cannot know throws. */
export async function examine(
  remediation: Remediation,
  incident: Incident,
  question: Question,
  cluster: Recorder,
  now: number,
): Promise<Examined> {
  const { fact, object, detectedAt, memory, plan } = incident;
  const { generation: _, resourceVersion: __, ...subject } = object;
  const verdict = await remediation.examine({
    hints: asHints(remediation.hints?.(fact) ?? {}),
    cluster,
    question,
    now,
    incident: {
      ...{ object: subject, detectedAt, memory, fixed: question === 'verify' && plan ? liveValues(plan.evidence) : undefined },
      written: doneOf(incident).map((done) => liveValues(done.plan.evidence)),
    },
  });
  if (verdict.kind === 'clear' && question !== 'verify' && plan && (await doneByHand(plan, cluster))) {
    return { verdict, byHand: true, reads: cluster.reads };
  }
  if (verdict.kind !== 'fix') return { verdict, reads: cluster.reads };
  // A fact names the UID, and the incident's budget and breaker go by it: one that no object has would open a second account.
  if (question !== 'verify' && subject.uid !== undefined && (await cluster.get(subject))?.metadata.uid !== subject.uid) {
    return { verdict: clear(`there is no ${nameOf(subject)} with the UID ${subject.uid}`), reads: cluster.reads };
  }
  const before: Record<string, Json>[] = verdict.steps.map(() => ({}));
  const live = new Map<Step, KubernetesObject>();
  for (const [index, step] of verdict.steps.entries()) {
    // What owns a pod does not write what its program stores.
    if (step.kind === 'create' || isZnodeStep(step)) continue;
    const object = await cluster.get(step.target);
    if (!object) throw new Doubt(`${nameOf(step.target)}, which the fix would change, does not exist`);
    live.set(step, object);
    before[index] = valuesBefore(step, object);
    const owner = whoWouldRevert(object);
    if (owner) {
      const advice = [`Change it in its source: ${verdict.steps.map(({ reason }) => reason).join('; ')}`];
      const because = `${verdict.because}; but ${nameOf(step.target)} belongs to ${owner}, which would revert a live change`;
      return { verdict: report(because, { evidence: verdict.evidence, advice }), reads: cluster.reads };
    }
  }
  const made = makePlan(verdict, incident.key, now, remediation.limits.expireAfter);
  const changes = plan?.hash === made.hash ? plan.changes : await documentsChange(verdict.steps, live, cluster);
  return { verdict, plan: { ...made, before, ...(changes && { changes }) }, reads: cluster.reads };
}

/** For people only: where it cannot be told, it is not told, and nothing else comes of it. Undefined: no step applies a document. */
async function documentsChange(steps: Step[], live: Map<Step, KubernetesObject>, cluster: Cluster): Promise<string[][] | undefined> {
  if (!steps.some(({ kind }) => kind === 'apply')) return undefined;
  const linesOf = async (step: Step): Promise<string[]> => {
    const object = live.get(step);
    return (step.kind === 'apply' && object && (await documentChanges(step, object, cluster).catch(() => undefined))) || [];
  };
  return Promise.all(steps.map(linesOf));
}
