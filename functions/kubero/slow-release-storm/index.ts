import satisfies from 'semver/functions/satisfies.js';
import { allLive } from '../../../shared/evidence.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { type Examination, remediation } from '../../../shared/remediation.ts';
import { clear, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { whenObjectChanged } from '../../../shared/when.ts';
import { operatorVersions } from '../operator.ts';
import { failureOf, reportFailure } from './failing-release.ts';
import { periodOf, RECONCILE_PERIOD, SLOW } from './reconcile-period.ts';
import { dropped, follow, type History, PROOF, RARE, revisionOf } from './release-history.ts';
import { slowDown, slowedDown } from './slow-down.ts';

const PIPELINES = { group: 'application.kubero.dev', version: 'v1alpha1', resource: 'kuberopipelines' };
/** A release of a helm-operator. Each has a first version, so that one is no news. */
const UPGRADE = {
  labels: { owner: ['helm'], name: [{ exists: true }], version: [{ 'anything-but': ['1'] }] },
  managedFields: { manager: ['helm-operator'] },
};

export default remediation({
  title: 'Slow down a Kubero pipeline that is upgraded at every reconciliation',
  cause: {
    issue: 'kubero-dev/kubero#420 (also operator-framework/operator-sdk#5728)',
    affects: 'Kubero operator up to 0.1.4 with deployment strategy git; 0.1.5 to 0.2.1 with createSecret copy',
    because:
      'helm-operator compares with a dry run, and in a dry run the chart finds no registry credentials to copy. So it sees a difference every time, and upgrades.',
  },
  when: [
    whenObjectChanged({ group: '', resource: 'secrets' }, { change: ['added'], current: { metadata: UPGRADE } }),
    whenObjectChanged(PIPELINES, { current: { status: { conditions: { type: ['ReleaseFailed'], status: ['True'] } } } }),
  ],
  rights: [
    { group: PIPELINES.group, resources: [PIPELINES.resource], verbs: ['get', 'patch'] },
    { group: 'apps', resources: ['deployments'], verbs: ['list'] },
  ],
  limits: { stableFor: '10s', verifyWithin: '15m' },

  subject(fact) {
    const name = fact.object.resource === PIPELINES.resource ? fact.object.name : revisionOf(fact)?.release;
    return name === undefined ? undefined : { ...PIPELINES, namespace: fact.object.namespace, name };
  },

  hints: (fact) => ({ revision: revisionOf(fact) }),

  scan: { kinds: [{ group: PIPELINES.group, resource: PIPELINES.resource }], latent },

  async examine(examination): Promise<Verdict> {
    const { hints, cluster, now, incident } = examination;
    const pipeline = await cluster.get(incident.object);
    if (!pipeline || pipeline.metadata.deletionTimestamp) return clear('no KuberoPipeline has this release');
    const { generation = 0, annotations = {} } = pipeline.metadata;
    const revision = hints.revision.claimed() ?? { release: '', version: 0, at: 0 };
    const failure = failureOf(pipeline);
    // One look is no loop: the revision that is being made may be the repair.
    if (failure && (incident.fixed || now - Math.max(failure.since, incident.detectedAt) < 60_000)) {
      return wait('the release fails, and may be repaired in a moment', '30s', dropped(revision, generation));
    }
    if (failure) return reportFailure(failure, pipeline);
    const operators = await operatorVersions(cluster);
    const registry = registryMode(pipeline, operators);
    if (!registry.copied) return clear(`its chart looks no credentials up (${registry.mode})`);

    const period = periodOf(pipeline, registry.old);
    if (period.ms === undefined) return badPeriod(period.written);
    if (incident.fixed && annotations[RECONCILE_PERIOD] === SLOW) return slowedDown(pipeline, examination);
    if (!incident.fixed) {
      if (period.ms >= 300_000) return clear(`it is reconciled every ${period.written} only`);
      const before = incident.memory as History | undefined;
      const history = revision.version > 0 ? follow(before, revision, generation) : before;
      if (!history || now - Math.max(history.at, revision.at) > 360_000) return clear(`no upgrade was seen for ${RARE}`);
      if (history.upgrades < PROOF) return wait(`fewer than ${PROOF} upgrades in a row without a change of the pipeline`, RARE, history);
    }
    return mend(pipeline, registry.mode, period.written, operators, examination);
  },
});

/** What a scan asks: will this pipeline be upgraded at every reconciliation? No revision has to be seen for that. */
async function latent(examination: Examination): Promise<Verdict> {
  const { cluster, incident } = examination;
  const pipeline = await cluster.get(incident.object);
  if (!pipeline || pipeline.metadata.deletionTimestamp) return clear('the pipeline is gone');
  const failure = failureOf(pipeline);
  if (failure) return reportFailure(failure, pipeline);
  const operators = await operatorVersions(cluster);
  const registry = registryMode(pipeline, operators);
  if (operators.length === 0 || !registry.copied) return clear(`its chart looks no credentials up (${registry.mode})`);
  const period = periodOf(pipeline, registry.old);
  if (period.ms === undefined) return badPeriod(period.written);
  if (period.ms >= 300_000) return clear(`it is reconciled every ${period.written} only`);
  return mend(pipeline, registry.mode, period.written, operators, examination);
}

function mend(pipeline: KubernetesObject, registry: string, period: string, operators: string[], examination: Examination): Verdict {
  const [operator = ''] = operators;
  if (operators.length !== 1 || !isWithin(operator, '<=0.2.1')) {
    const because = `every reconciliation upgrades it, and the Kubero operator is none that is known (${operators.join(', ') || 'none found'})`;
    return report(because, { evidence: allLive({ operators, registry }), advice: [`Annotate it: ${RECONCILE_PERIOD}=${SLOW}`] });
  }
  return slowDown(pipeline, { operator, registry, period, generation: pipeline.metadata.generation ?? 0 }, examination);
}

function badPeriod(period: string): Verdict {
  const because = `its annotation ${RECONCILE_PERIOD}: ${period} is no duration, so the operator reconciles it no more`;
  return report(because, { evidence: allLive({ period }), advice: [`Set the annotation to ${SLOW}, or remove it`] });
}

/** Whether the chart looks registry credentials up: in mode copy, and up to 0.1.4 in every mode (or where nobody knows the version). */
function registryMode({ spec = {} }: KubernetesObject, operators: string[]): { copied: boolean; mode: string; old: boolean } {
  const mode = (spec.registry as { createSecret?: string } | null | undefined)?.createSecret ?? 'no createSecret';
  const old = operators.length === 0 || operators.some((version) => isWithin(version, '<0.1.5-0'));
  if (spec.deploymentstrategy === 'git') return { copied: mode === 'copy' || old, mode, old };
  return { copied: false, mode: `deployment strategy ${spec.deploymentstrategy ?? 'not set'}`, old };
}

const isWithin = (version: string, range: string): boolean => satisfies(version, range, { includePrerelease: true });
