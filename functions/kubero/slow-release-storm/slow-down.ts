import { allLive } from '../../../shared/evidence.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { mergePatch, targetOf } from '../../../shared/plan.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { clear, fix, report, type Verdict, wait } from '../../../shared/verdict.ts';
import type { Operator } from '../operator.ts';
import type { Cause } from './cause.ts';
import { versionsOf } from './obstacles.ts';
import { goDuration, graceOf, RECONCILE_PERIOD, SLOW } from './reconcile-period.ts';
import type { Revision } from './release-secrets.ts';

/** The fix: one annotation, whether one exists or not. It touches no credential. With obstacles: a report that names them. */
export function slowDown(
  pipeline: KubernetesObject,
  { mode, period }: Cause,
  operators: Operator[],
  obstacles: string[],
  { incident }: Examination,
): Verdict {
  const { name, generation = 0 } = pipeline.metadata;
  const found = `${name} is upgraded at every reconciliation though nothing changes`;
  const registry = mode;
  if (obstacles.length > 0) {
    return report(`${found}. kubemend does not write, because ${obstacles.join('; ')}`, {
      evidence: allLive({ operators: operators.map(({ name, image }) => `${name}: ${image}`), registry, period: period.written }),
      advice: [`If the Secrets sh.helm.release.v1.${name}.v* are the operator's, annotate the pipeline: ${RECONCILE_PERIOD}=${SLOW}`],
    });
  }
  const [operator = ''] = versionsOf(operators.filter(({ running }) => running));
  const patch = { metadata: { annotations: { [RECONCILE_PERIOD]: SLOW } } };
  const reason = `reconcile ${name} every ${SLOW} instead of every ${period.written}`;
  return fix(found, {
    evidence: allLive({ operator, registry, period: period.written, generation }),
    steps: [mergePatch(targetOf({ ...incident.object, name }, pipeline), patch, reason)],
    advice: cure(pipeline, operator, registry),
    // The annotation itself is reconciled at once, and the timer that ran before it expires once more.
    settleWithin: `${graceOf(period.ms)}ms`,
  });
}

/** What would remove the cause. It puts credentials into the pipeline's spec, so it is left to a person. */
function cure({ metadata: { namespace, name }, spec }: KubernetesObject, operator: string, registry: string): string[] {
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

/**
 * Whether the annotation helped. Its after-effects are one revision that answers it and one from the timer that ran before; a restart of
 * the operator makes a third. So it helped when the release then rests for a whole old period, and failed when revisions still come
 * after two. All times are the API server's, in whole seconds.
 */
export function slowedDown(
  { metadata }: KubernetesObject,
  revisions: Revision[],
  operators: Operator[],
  { incident, now }: Examination,
): Verdict {
  const grace = graceOf(goDuration(String(incident.fixed?.period)) ?? 0);
  const { time = '' } = metadata.managedFields?.find(({ manager, subresource }) => manager === 'kubemend' && !subresource) ?? {};
  const writtenAt = Date.parse(time);
  const newest = revisions.at(-1)?.at ?? 0;
  // A release that rests because its operator does not run proves nothing.
  if (!operators.some(({ running }) => running))
    return wait('the Kubero operator does not run, so a release that rests proves nothing', '10s');
  if (!(newest >= writtenAt)) return wait('the operator has not answered the annotation with a revision yet', '2s');
  if (now >= newest + grace) return clear(`no further revision came within an old period (${incident.fixed?.period})`);
  if (newest > writtenAt + 2 * grace) return report('a third revision came after the annotation, and more follow: the operator ignores it');
  return wait('one old period without a further revision has to pass', `${newest + grace - now}ms`);
}
