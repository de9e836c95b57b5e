import { allLive } from '../../../shared/evidence.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { mergePatch, targetOf } from '../../../shared/plan.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { clear, type Fix, fix, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { goDuration, graceOf, RECONCILE_PERIOD, SLOW } from './reconcile-period.ts';
import type { Revision } from './release-history.ts';

/** What decided the fix. */
export type Proof = { operator: string; registry: string; period: string; generation: number };

/** The fix: one annotation, whether one is there or not. No credential is touched. */
export function slowDown(pipeline: KubernetesObject, proof: Proof, { incident }: Examination): Fix {
  const { name } = pipeline.metadata;
  const patch = { metadata: { annotations: { [RECONCILE_PERIOD]: SLOW } } };
  const reason = `reconcile ${name} every ${SLOW} instead of every ${proof.period}`;
  return fix(`${name} is upgraded at every reconciliation though nothing changes`, {
    evidence: allLive(proof),
    steps: [mergePatch(targetOf({ ...incident.object, name }, pipeline), patch, reason)],
    advice: cure(pipeline, proof),
    // The annotation itself is reconciled at once, and the timer that ran before it runs out once more.
    settleWithin: `${graceOf(goDuration(proof.period) ?? 0)}ms`,
  });
}

/** What would remove the cause. It puts credentials into the pipeline's spec, so a person decides it; nobody does it here. */
function cure({ metadata: { namespace, name }, spec }: KubernetesObject, { operator, registry }: Proof): string[] {
  const login = `${spec?.mainnamespace ?? 'kubero'}/registry-login`;
  if (registry !== 'copy') {
    return [
      `The cure is an operator of 0.1.5 or newer (${operator} runs, which knows no createSecret). First set spec.registry of every pipeline with strategy git to createSecret: create with the real credentials, or they are replaced by dummies`,
    ];
  }
  return [
    `The cure: in ${namespace}/${name} set spec.registry to createSecret: create, with host, username and password of ${login}. Operator ${operator}, strategy git and mode copy allow it`,
    `Check first, in the cluster: .dockerconfigjson of ${login} names exactly one registry, with the same plain username and password, no identitytoken, and no app of the pipeline overrides imagePullSecrets`,
    'The password then stands in clear text in the spec. Never create without credentials, never none: images cannot be pulled at the next start of a pod',
  ];
}

/** Whether the annotation helped: one or two more revisions are its after-effect, a later one is a third. Seen to answer, then quiet for a whole old period. */
export function slowedDown(
  { metadata }: KubernetesObject,
  { hints, incident, now }: Examination<{ revision: Revision | undefined }>,
): Verdict {
  const grace = graceOf(goDuration(String(incident.fixed?.period)) ?? 0);
  const { time = '' } = metadata.managedFields?.find(({ manager, subresource }) => manager === 'kubemend' && !subresource) ?? {};
  const writtenAt = Date.parse(time);
  const newest = hints.revision.claimed()?.at ?? 0;
  // managedFields know whole seconds, and our clock is not the API server's.
  if (newest > writtenAt + grace + 2_000) return report(`a third revision came after the annotation: the operator does not keep to it`);
  // Silence alone proves nothing: the exporter may be blind. The annotation makes a revision at once, so that one has to be seen.
  if (!(newest >= writtenAt)) return wait('the operator has not answered the annotation with a revision yet', '2s');
  if (now < newest + grace) return wait('a revision more or none: one old period of quiet has to pass', `${newest + grace - now}ms`);
  return clear(`no third revision came within an old period (${incident.fixed?.period})`);
}
