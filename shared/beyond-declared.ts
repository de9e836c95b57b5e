import type { Artifacts } from './artifacts/artifacts.ts';
import type { Cluster } from './cluster.ts';
import { undeclared } from './declared-writes.ts';
import { documentOf } from './execute.ts';
import type { Step } from './plan.ts';
import type { Remediation } from './remediation.ts';
import { isZnodeStep } from './znode-step.ts';

/** Why a step of a plan, or of an undo, must not be sent: it is beyond what its remediation declares. Asked before the dry run, of the live object. */
export async function beyondDeclared(
  { name, writes }: Pick<Remediation, 'name' | 'writes'>,
  step: Step,
  incident: string,
  cluster: Cluster,
  artifacts: Artifacts,
): Promise<string | undefined> {
  const live = step.kind === 'create' || isZnodeStep(step) ? undefined : await cluster.get(step.target);
  const document = step.kind === 'apply' ? await documentOf(step, artifacts) : undefined;
  const because = undeclared(writes, { step, live, document, incident });
  return because && `${name} declares less than its plan: ${because}`;
}
