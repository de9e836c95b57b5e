import { expect, it } from '@jest/globals';
import definition from '../../functions/kubero/slow-release-storm/index.ts';
import type { Recorded } from '../../infra/local/bundle.ts';
import { replay } from '../../infra/local/replay.ts';
import type { KubernetesObject } from '../../shared/kubernetes/object.ts';
import { complete } from '../../shared/remediation.ts';
import { deployment, iso, NOW, pipeline, secret } from '../fixtures/kubero-pipelines.ts';
import { memoryArtifacts } from '../toy-world.ts';

const PERIOD = 180_000;
const KUBERO = 'ghcr.io/kubero-dev/kubero-operator/kuberoapp';

/** What a watch alone shows of an installation whose pipeline is upgraded every 3 minutes: helm-operator deletes the revision before the last. */
function stormOf(image: string, status?: Record<string, unknown>): Recorded[] {
  const watch = (at: number, type: 'ADDED' | 'DELETED', resource: string, object: KubernetesObject, fromList = false): Recorded => ({
    ...{ at, kind: 'watch' },
    event: { receivedAt: iso(at), resource, type, object, ...(fromList && { fromList }) },
  });
  const live = { ...pipeline(), ...(status && { status }) };
  const versions = [2, 3, 4, 5, 6, 7, 8, 9];
  const made = (version: number): KubernetesObject => secret(version, NOW + version * PERIOD, { resourceVersion: `${1_000 + version}` });
  return [
    watch(NOW, 'ADDED', 'kuberopipelines', live, true),
    watch(NOW, 'ADDED', 'deployments', deployment(image), true),
    ...versions.flatMap((version) => [
      ...(version > 3 ? [watch(NOW + version * PERIOD - 1_000, 'DELETED', 'secrets', made(version - 2))] : []),
      watch(NOW + version * PERIOD, 'ADDED', 'secrets', made(version)),
    ]),
    watch(NOW + 10 * PERIOD, 'ADDED', 'secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'end', resourceVersion: '9000' } }),
  ];
}

async function verdictOf(image: string, status?: Record<string, unknown>): Promise<{ kind: string; because: string } | undefined> {
  const remediations = [complete('kubero/slow-release-storm', definition)];
  const problems: string[] = [];
  const incidents = await replay({
    ...{ events: stormOf(image, status), remediations, artifacts: memoryArtifacts(), cluster: 'recording' },
    onProblem: (problem) => problems.push(problem),
  });
  expect(problems).toEqual([]);
  expect(incidents).toHaveLength(1);
  const verdicts = incidents.flatMap(({ history }) => history.flatMap(({ verdict }) => verdict ?? []));
  const found = verdicts.find(({ kind }) => kind === 'fix' || kind === 'report');
  return found && { kind: found.kind, because: found.because };
}

it.each<[string, string]>([
  ['the published image', `${KUBERO}:v0.2.1`],
  ['a mirror', 'registry.local:5000/kubero-dev/kubero-operator/kuberoapp:v0.2.1'],
  ['a mirror that renames the path', 'registry.local/kuberoapp:v0.2.1'],
])('a storm of an operator from %s is fixed on watch data alone', async (_, image) => {
  expect(await verdictOf(image)).toMatchObject({ kind: 'fix' });
});

it.each<[string, string, Record<string, unknown> | undefined, RegExp]>([
  [
    'its tag has a suffix of a vendor',
    'registry.local/kuberoapp:v0.2.1-acme',
    undefined,
    /is unknown: its image is registry\.local\/kuberoapp:v0\.2\.1-acme/,
  ],
  ['its image is a digest', `${KUBERO}@sha256:${'a'.repeat(64)}`, undefined, /is unknown: its image is/],
  ['it is 0.2.2', `${KUBERO}:v0.2.2`, undefined, /0\.2\.2 is newer than 0\.2\.1/],
  ['the pipeline has no deployed release', `${KUBERO}:v0.2.1`, {}, /does not say that a release is deployed/],
])('a storm of an operator is reported with what prevents the fix when %s', async (_, image, status, because) => {
  expect(await verdictOf(image, status)).toEqual({ kind: 'report', because: expect.stringMatching(because) });
});
