import { isDeepStrictEqual } from 'node:util';
import type { Doc } from '../../control-plane/admin.ts';
import { instanceNames } from './arithmetic.ts';
import type { Round } from './controller.ts';

interface ComponentSpec {
  name: string;
  componentDef: string;
  replicas: number;
  offlineInstances?: string[];
}

/** Keeps Components, InstanceSets and pods as the Cluster says, and its status. */
export async function reconcileCluster(round: Round, cluster: Doc): Promise<void> {
  const { api, paths } = round;
  const specs = (cluster.spec?.componentSpecs ?? []) as ComponentSpec[];
  let ready = true;
  for (const spec of specs) ready = (await reconcileComponent(round, cluster, spec)) && ready;
  const { generation } = cluster.metadata;
  const before = cluster.status;
  const phase = ready ? 'Running' : before?.phase === undefined || before.phase === 'Creating' ? 'Creating' : 'Updating';
  const components = Object.fromEntries(specs.map(({ name }) => [name, { phase }]));
  const status = { observedGeneration: generation, phase, components };
  if (!isDeepStrictEqual(before, status)) await api.patch(`${paths.clusters}/${cluster.metadata.name}/status`, 'merge', { status });
}

async function reconcileComponent(round: Round, cluster: Doc, spec: ComponentSpec): Promise<boolean> {
  const { api, paths } = round;
  const name = `${cluster.metadata.name}-${spec.name}`;
  const { replicas, offlineInstances = [], componentDef } = spec;
  const labels = {
    'app.kubernetes.io/instance': cluster.metadata.name,
    'app.kubernetes.io/managed-by': 'kubeblocks',
    'apps.kubeblocks.io/component-name': spec.name,
  };
  const component = { compDef: componentDef, replicas, offlineInstances };
  await keep(round, paths.components, { apiVersion: paths.appsVersion, kind: 'Component', metadata: { name, labels }, spec: component });
  const annotations = { 'app.kubernetes.io/component': componentDef };
  const set = await keep(round, paths.instanceSets, {
    apiVersion: paths.workloadsVersion,
    kind: 'InstanceSet',
    metadata: { name, labels, annotations },
    spec: { replicas, offlineInstances, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' } },
  });
  const wanted = instanceNames(name, { replicas, offlineInstances });
  const pods = await reconcilePods(round, labels, componentDef, wanted);
  const readyReplicas = pods.filter(isReady).length;
  const status = { observedGeneration: set.metadata.generation, replicas: pods.length, readyReplicas, updatedReplicas: pods.length };
  if (!isDeepStrictEqual(set.status, status)) await api.patch(`${paths.instanceSets}/${name}/status`, 'merge', { status });
  return readyReplicas === replicas && pods.length === replicas;
}

/** Creates it, or writes its spec when that differs. */
async function keep({ api }: Round, collection: string, wanted: Doc): Promise<Doc> {
  const found = (await api.list(collection)).find(({ metadata }) => metadata.name === wanted.metadata.name);
  if (!found) return api.create(collection, wanted);
  if (isDeepStrictEqual(found.spec, wanted.spec)) return found;
  return api.replace(`${collection}/${wanted.metadata.name}`, { ...found, spec: wanted.spec as Record<string, unknown> });
}

async function reconcilePods({ api, paths, becomesReady, now }: Round, labels: Record<string, string>, image: string, wanted: string[]) {
  const selector = encodeURIComponent(`apps.kubeblocks.io/component-name=${labels['apps.kubeblocks.io/component-name']}`);
  const pods = await api.list(`${paths.pods}?labelSelector=${selector}`);
  for (const { metadata } of pods) {
    if (!wanted.includes(metadata.name)) await api.delete(`${paths.pods}/${metadata.name}?gracePeriodSeconds=0`);
  }
  for (const name of wanted) {
    const pod = pods.find(({ metadata }) => metadata.name === name);
    if (!pod) {
      const spec = { containers: [{ name: 'main', image: `library/${image}` }] };
      await api.create(paths.pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec });
    } else if (!isReady(pod) && becomesReady(name)) {
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date(now()).toISOString() }];
      await api.patch(`${paths.pods}/${name}/status`, 'strategic', { status: { phase: 'Running', conditions } });
    }
  }
  return (await api.list(`${paths.pods}?labelSelector=${selector}`)).filter(({ metadata }) => wanted.includes(metadata.name));
}

/** Whether the pod's Ready condition is True. */
export const isReady = ({ status }: Doc): boolean =>
  ((status?.conditions ?? []) as { type: string; status: string }[]).some(
    ({ type, status: value }) => type === 'Ready' && value === 'True',
  );
