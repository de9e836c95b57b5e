import { expect, it } from '@jest/globals';
import definition from '../../functions/kubero/slow-release-storm/index.ts';
import { clientOptions, startMoto } from '../../test/aws/moto.ts';
import { createStateTable, dynamoClient, stateOn } from '../../test/aws/state-table.ts';
import { NOW, operator, pipeline, revision, secret } from '../../test/fixtures/kubero-pipelines.ts';
import { MemoryCluster } from '../../test/memory-cluster.ts';
import { memoryArtifacts } from '../../test/toy-world.ts';
import { makeHandler } from './handler.ts';

it('kubero/slow-release-storm fires at the fourth upgrade, each seen by another process: what it remembers is in the table', async () => {
  const moto = await startMoto();
  const dynamo = dynamoClient(clientOptions(moto.endpoint).endpoint);
  const table = await createStateTable(dynamo);
  let now = NOW;
  const served = ['/apis/application.kubero.dev/v1alpha1/kuberopipelines', '/apis/apps/v1/deployments', '/api/v1/secrets'];
  const cluster = new MemoryCluster(served, () => now);
  const release = (version: number) => `/api/v1/namespaces/kubero/secrets/sh.helm.release.v1.checkout.v${version}`;
  cluster.create('/apis/application.kubero.dev/v1alpha1/namespaces/kubero/kuberopipelines/checkout', pipeline());
  cluster.create('/apis/apps/v1/namespaces/kubero-operator-system/deployments/kubero', operator('0.2.1', 'kubero'));
  const states: unknown[] = [];
  for (const [version, seconds] of [
    [2, 0],
    [3, 60],
    [4, 120],
    [5, 180],
    [6, 240],
  ] as const) {
    now = NOW + seconds * 1_000;
    cluster.create(release(version), secret(version, now), 'helm-operator');
    cluster.remove(release(version - 2));
    // Another execution environment each time.
    const handler = makeHandler('kubero/slow-release-storm', definition, () => ({
      bus: { publish: async () => undefined },
      state: stateOn(dynamo, table, { own: 'kubero/slow-release-storm' }),
      schedule: { put: async () => undefined },
      artifacts: memoryArtifacts(),
      sender: () => cluster,
      now: () => now,
      log: () => undefined,
    }));
    const detail = revision(version, now);
    const event = { id: `e-${version}`, source: 'kubernetes', 'detail-type': 'Object Changed', time: new Date(now).toISOString(), detail };
    const answer = await handler(event, { awsRequestId: `request-${version}` });
    states.push(answer.taken ? answer.state : answer.because);
  }
  expect(states).toEqual(['waiting', 'waiting', 'waiting', 'planned', 'planned']);
  expect(cluster.writes).toEqual([]);
  dynamo.destroy();
  await moto.stop();
}, 180_000);
