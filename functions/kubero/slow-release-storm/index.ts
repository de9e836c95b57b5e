import { milliseconds } from '../../../shared/duration.ts';
import { remediation } from '../../../shared/remediation.ts';
import { clear, type Verdict, wait } from '../../../shared/verdict.ts';
import { whenObjectChanged } from '../../../shared/when.ts';
import { kuberoOperators } from '../operator.ts';
import { causeOf } from './cause.ts';
import { failureOf, reportFailure } from './failing-release.ts';
import { latent } from './latent.ts';
import { operatorObstacles, releaseObstacles } from './obstacles.ts';
import { CRD, PIPELINES, pipelineOf } from './pipeline.ts';
import { NOT_A_DURATION, RECONCILE_PERIOD, RESTS, SLOW } from './reconcile-period.ts';
import { dropped, follow, type History, PROOF, RARE } from './release-history.ts';
import { liveRevisions, releaseNamedBy } from './release-secrets.ts';
import { RISKS } from './risks.ts';
import { slowDown, slowedDown } from './slow-down.ts';

/** A release of a helm-operator, as it is labelled. The first version of a release is an installation. */
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
    whenObjectChanged(PIPELINES, { current: { metadata: { annotations: { [RECONCILE_PERIOD]: NOT_A_DURATION } } } }),
  ],
  rights: [
    { group: PIPELINES.group, resources: [PIPELINES.resource], verbs: ['get'] },
    // The revisions of the release. Only metadata is requested; RBAC cannot express that.
    { group: '', resources: ['secrets'], verbs: ['list'] },
    { group: 'apps', resources: ['deployments'], scope: 'cluster', verbs: ['list'] },
    { group: CRD.group, resources: [CRD.resource], names: [CRD.name], scope: 'cluster', verbs: ['get'] },
  ],
  writes: [
    {
      operation: 'patch',
      group: PIPELINES.group,
      resource: PIPELINES.resource,
      worst: 'have a pipeline reconciled without a pause, or hardly ever',
      // Also what stood there before, or nothing: the undo.
      changes: { [`/metadata/annotations/${RECONCILE_PERIOD.replace('/', '~1')}`]: '^[+]?([0-9.]+(ns|us|µs|ms|s|m|h))*$' },
    },
  ],
  risks: RISKS,
  limits: { stableFor: '10s', verifyWithin: '15m' },

  subject(fact) {
    const name = fact.object.resource === PIPELINES.resource ? fact.object.name : releaseNamedBy(fact);
    return name === undefined ? undefined : { ...PIPELINES, namespace: fact.object.namespace, name };
  },

  scan: { kinds: [{ group: PIPELINES.group, resource: PIPELINES.resource }], latent },

  async examine(examination): Promise<Verdict> {
    const { cluster, now, incident } = examination;
    const pipeline = await pipelineOf(cluster, incident.object);
    if (!pipeline || pipeline.metadata.deletionTimestamp) return clear('no KuberoPipeline has this release');
    const revisions = await liveRevisions(cluster, incident.object);
    const failure = failureOf(pipeline);
    // Failing once is not a loop: the revision that is being made may be the repair.
    if (failure && (incident.fixed || now - Math.max(failure.since, incident.detectedAt) < 60_000)) {
      return wait('the release fails, and may be repaired in a moment', '30s', dropped(revisions, pipeline, now));
    }
    if (failure) return reportFailure(failure, pipeline);
    const operators = await kuberoOperators(cluster, incident.object.namespace);
    const cause = causeOf(pipeline, operators);
    if ('kind' in cause) return cause;
    if (incident.fixed && pipeline.metadata.annotations?.[RECONCILE_PERIOD] === SLOW) {
      return slowedDown(pipeline, revisions, operators, examination);
    }
    if (!incident.fixed) {
      if (cause.period.ms >= RESTS) return clear(`it is reconciled every ${cause.period.written} only`);
      const before = incident.memory as History | undefined;
      const history = follow(before, revisions, pipeline, now);
      const rests = history && now - history.at > milliseconds(RARE);
      // Where the clock of the API server is behind, only a second list shows that the release rests.
      if (!history || (rests && before)) return clear(`no upgrade was seen for ${RARE}`);
      if (rests || history.upgrades < PROOF)
        return wait(`fewer than ${PROOF} upgrades in a row without a change of the pipeline`, RARE, history);
    }
    const obstacles = [...operatorObstacles(operators), ...releaseObstacles(pipeline, revisions)];
    return slowDown(pipeline, cause, operators, obstacles, examination);
  },
});
