import { describe, expect, it } from '@jest/globals';
import { OBJECT_CHANGED } from '../../../events/object-changed.ts';
import { matches } from '../../../events/pattern.ts';
import { allLive } from '../../../shared/evidence.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import type { Verdict } from '../../../shared/verdict.ts';
import {
  condition,
  deployment,
  every,
  NOW,
  operator,
  pipeline,
  releaseFailed,
  revision,
  secret,
  three,
  verdictIn,
  type World,
} from '../../../test/fixtures/kubero-pipelines.ts';
import definition from './index.ts';
import { RECONCILE_PERIOD } from './reconcile-period.ts';

const failing = (type: string, reason: string, minutes: number) => [condition(type, reason, minutes)];
const annotated = (period: string) => ({ ...releaseFailed(), current: { metadata: { annotations: { [RECONCILE_PERIOD]: period } } } });
const edited = (generation: number): KubernetesObject => pipeline({}, { generation });

describe('kubero/slow-release-storm', () => {
  it('fixes kubero#420 by one annotation, and offers the cure to a person', async () => {
    const verdict = await verdictIn({});
    expect(verdict).toMatchObject({
      kind: 'fix',
      evidence: allLive({ operator: '0.2.1', registry: 'copy', period: '3m', generation: 1 }),
      settleWithin: '230000ms',
      advice: [expect.stringContaining('createSecret: create'), expect.stringContaining('exactly one registry'), expect.any(String)],
    });
    expect(verdict.kind === 'fix' && verdict.steps).toEqual([
      {
        kind: 'merge-patch',
        target: expect.objectContaining({ resource: 'kuberopipelines', namespace: 'kubero', name: 'checkout', uid: 'p-1' }),
        patch: { metadata: { annotations: { [RECONCILE_PERIOD]: '1h' } } },
        reason: expect.any(String),
      },
    ]);
    expect(JSON.stringify(verdict)).not.toContain('hunter2-');
  });

  it('replaces an annotation that is there already', async () => {
    expect(await verdictIn({ pipeline: every('6s') })).toMatchObject({
      kind: 'fix',
      evidence: allLive({ period: '6s' }),
      settleWithin: '12500ms',
    });
  });

  it('fixes operator 0.1.4 in every mode, and says that a newer operator is the cure', async () => {
    const verdict = await verdictIn({ deployments: [operator('0.1.4-rc.5')], pipeline: pipeline({ registry: undefined }) });
    expect(verdict).toMatchObject({
      kind: 'fix',
      evidence: allLive({ period: '1m' }),
      advice: [expect.stringContaining('0.1.5 or newer')],
    });
  });

  it.each<[string, Partial<World>, Verdict['kind'], RegExp]>([
    ['the release belongs to no pipeline', { pipeline: undefined }, 'clear', /no KuberoPipeline/],
    ['the pipeline is being deleted', { pipeline: pipeline({}, { deletionTimestamp: 'now' }) }, 'clear', /no KuberoPipeline/],
    ['credentials are created', { pipeline: pipeline({ registry: { createSecret: 'create' } }) }, 'clear', /createSecret|create/],
    ['no credentials are wanted', { pipeline: pipeline({ registry: { createSecret: 'none' } }) }, 'clear', /none/],
    ['the registry block is missing', { pipeline: pipeline({ registry: undefined }) }, 'clear', /no createSecret/],
    ['the registry block is null', { pipeline: pipeline({ registry: null }) }, 'clear', /no createSecret/],
    ['the strategy is docker', { pipeline: pipeline({ deploymentstrategy: 'docker' }) }, 'clear', /strategy docker/],
    [
      'operator 0.1.4 deploys with docker',
      { deployments: [operator('0.1.4')], pipeline: pipeline({ deploymentstrategy: 'docker' }) },
      'clear',
      /docker/,
    ],
    [
      'an old operator is scaled to zero beside one that does not look credentials up in this mode',
      {
        deployments: [operator('0.2.1'), deployment('ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.1.4', 'old', 0)],
        pipeline: pipeline({ registry: { createSecret: 'create' } }),
      },
      'clear',
      /no credentials/,
    ],
    ['it is reconciled every hour already', { pipeline: every('1h') }, 'clear', /every 1h only/],
    ['it is reconciled every ten minutes', { pipeline: every('600s') }, 'clear', /every 600s only/],
    ['the annotation is not a duration', { pipeline: every('1day') }, 'report', /1day is not a duration/],
    ['the annotation is zero', { pipeline: every('0s') }, 'report', /0s is not a duration/],
    ['the spec was changed since', { pipeline: edited(2) }, 'wait', /fewer than 4/],
    ['it is the third upgrade', { memory: three({ upgrades: 2 }) }, 'wait', /fewer than 4/],
    ['nothing is remembered', { memory: undefined }, 'wait', /fewer than 4/],
    ['the release has no Secret', { secrets: [] }, 'clear', /no upgrade was seen/],
    ['the release was deleted and installed again', { secrets: [secret(1, NOW - 9_000), secret(2, NOW)] }, 'wait', /fewer than 4/],
    ['a version is missing', { memory: three({ upgrades: 2 }), secrets: [secret(9, NOW)] }, 'wait', /fewer than 4/],
    ['the upgrades are far apart', { memory: three({ at: NOW - 900_000 }) }, 'wait', /fewer than 4/],
    ['it stopped by itself', { now: NOW + 361_000 }, 'clear', /no upgrade was seen/],
    ['the release failed a moment ago', { pipeline: pipeline({}, {}, failing('ReleaseFailed', 'UpgradeError', 0.5)) }, 'wait', /fails/],
    [
      'it fails for long, and was seen to fail just now',
      { pipeline: pipeline({}, {}, failing('Irreconcilable', 'ReconcileError', 9)), detectedAt: NOW },
      'wait',
      /fails/,
    ],
    [
      'its chart could not be rendered a moment ago',
      { pipeline: pipeline({}, {}, failing('Irreconcilable', 'ReconcileError', 0.5)) },
      'wait',
      /fails/,
    ],
    [
      'it failed before and does not now',
      { pipeline: pipeline({}, {}, [condition('ReleaseFailed', 'UpgradeError', 9, 'False')]), memory: undefined },
      'wait',
      /fewer/,
    ],
    ['a fact claims a failure that is over', { fact: releaseFailed(), memory: undefined, secrets: [] }, 'clear', /no upgrade was seen/],
    [
      'registry-login was deleted: upgrade and rollback without end',
      { pipeline: pipeline({}, {}, failing('ReleaseFailed', 'UpgradeError', 3)) },
      'report',
      /upgrade and a rollback/,
    ],
    [
      'registry-login never was: install and uninstall without end',
      {
        pipeline: { ...pipeline(), status: { conditions: failing('ReleaseFailed', 'InstallError', 3) } },
        fact: releaseFailed(),
        memory: undefined,
      },
      'report',
      /namespaces of its phases are deleted/,
    ],
    [
      'its chart cannot be rendered',
      { pipeline: pipeline({}, {}, failing('Irreconcilable', 'ReconcileError', 3)) },
      'report',
      /cannot be rendered/,
    ],
    ['the operator is newer than what is known', { deployments: [operator('0.3.0')] }, 'report', /0\.3\.0 is newer than 0\.2\.1/],
    [
      'two operators are deployed',
      { deployments: [operator('0.2.1'), operator('0.2.0', 'other')] },
      'report',
      /several versions run: 0\.2\.0, 0\.2\.1/,
    ],
    ['no operator is found', { deployments: [] }, 'report', /no Kubero operator is found/],
    [
      'no operator is found and nothing is copied',
      { deployments: [], pipeline: pipeline({ registry: {} }) },
      'report',
      /no Kubero operator is found/,
    ],
    [
      'Argo CD owns the pipeline',
      { pipeline: pipeline({}, { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }) },
      'report',
      /Argo CD/,
    ],
    ['Flux owns the pipeline', { pipeline: pipeline({}, { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }) }, 'report', /Flux/],
  ])('writes nothing when %s', async (_, world, kind, because) => {
    const verdict = await verdictIn(world);
    expect({ kind: verdict.kind, because: verdict.because }).toEqual({ kind, because: expect.stringMatching(because) });
    expect(JSON.stringify(verdict)).not.toContain('hunter2-');
  });

  it('doubts where Deployments cannot be read', async () => {
    await expect(verdictIn({ deployments: 'not recorded' })).rejects.toThrow('not recorded');
  });

  it('makes facts of both kinds about the pipeline, and of other facts nothing', () => {
    const expected = {
      group: 'application.kubero.dev',
      version: 'v1alpha1',
      resource: 'kuberopipelines',
      namespace: 'kubero',
      name: 'checkout',
    };
    expect(definition.subject?.(revision(7))).toEqual(expected);
    expect(definition.subject?.(releaseFailed())).toEqual(expected);
    expect(definition.subject?.({ ...revision(7), current: { metadata: {} } })).toBeUndefined();
  });

  it.each<[string, boolean, ReturnType<typeof revision>]>([
    ['the upgrade of a helm-operator', true, revision(7)],
    ['a first version', false, revision(1)],
    ['the deletion of a revision', false, { ...revision(7), change: 'deleted' }],
    ['a revision that is marked as superseded', false, { ...revision(7), change: 'modified' }],
    ['the upgrade that a person made with helm', false, revision(7, NOW, 'helm')],
    [
      'another Secret',
      false,
      { ...revision(7), current: { metadata: { labels: { app: 'x' }, managedFields: [{ manager: 'helm-operator' }] } } },
    ],
    ['a pipeline whose release failed', true, releaseFailed()],
    ['a pipeline whose release failed once', false, releaseFailed('False')],
    ['a pipeline with a period that is not a duration', true, annotated('1day')],
    ['a pipeline with a period', false, annotated('1h')],
  ])('is asked about %s: %s', (_, expected, detail) => {
    const event = { source: 'kubernetes', 'detail-type': OBJECT_CHANGED, detail } as unknown as Parameters<typeof matches>[1];
    expect([definition.when].flat().some((pattern) => matches(pattern, event))).toBe(expected);
  });

  it('may list Secrets, and neither get nor write one', () => {
    const secrets = definition.rights.filter(({ resources }) => resources.includes('secrets'));
    expect(secrets).toEqual([{ group: '', resources: ['secrets'], verbs: ['list'] }]);
  });
});
