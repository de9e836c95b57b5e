import { isDeepStrictEqual } from 'node:util';
import { type Doc, RefusedError } from '../../control-plane/admin.ts';
import { type Scale, type Sizing, scale } from './arithmetic.ts';
import type { Round } from './controller.ts';
import { isReady } from './instances.ts';
import { dequeue, enqueue } from './queue.ts';

type Status = Record<string, unknown>;
interface Spec {
  clusterName: string;
  cancel?: boolean;
  timeoutSeconds?: number;
  preConditionDeadlineSeconds?: number;
  horizontalScaling: (Scale & { componentName: string; shards?: number })[];
}
interface Last {
  replicas: number;
  offlineInstances?: string[];
}
const ENDED = ['Succeed', 'Failed', 'Cancelled', 'Aborted'];

/** One step of one operation: Pending, Creating, Running, and how it ends. */
export async function reconcileOperation(round: Round, name: string): Promise<void> {
  const { api, paths, now } = round;
  const op = await read(round, `${paths.ops}/${name}`);
  const phase = op?.status?.phase as string | undefined;
  if (!op || ENDED.includes(phase ?? '')) return;
  const spec = op.spec as unknown as Spec;
  const path = `${paths.clusters}/${spec.clusterName}`;
  const cluster = await api.get(path);
  const at = (): string => new Date(now()).toISOString().replace(/\.\d+/, '');
  const status = async (change: Status): Promise<void> => {
    if (!isDeepStrictEqual({ ...op.status, ...change }, op.status))
      await api.patch(`${paths.ops}/${name}/status`, 'merge', { status: change });
  };
  const end = async (ended: string): Promise<void> => {
    await status({ phase: ended, completionTimestamp: at(), ...(ended === 'Cancelled' && { progress: '1/1' }) });
    await dequeue(round, cluster, name, ended === 'Failed');
  };

  if (phase === undefined) return status({ phase: 'Pending', progress: '-/-' });
  if (phase === 'Pending') {
    if (spec.cancel) return end('Cancelled');
    if (!(await enqueue(round, cluster, name))) return;
    if (cluster.status?.phase !== 'Running') return spec.preConditionDeadlineSeconds ? undefined : end('Failed');
    return status({ phase: 'Creating', startTimestamp: at() });
  }
  if (phase === 'Creating') {
    const components = Object.fromEntries(
      spec.horizontalScaling.map(({ componentName }) => [componentName, lastOf(cluster, componentName)]),
    );
    const changed = await writeSizes(round, cluster, (component) => scaledFor(round, cluster, spec, component, sizing(component)));
    return status({ phase: 'Running', lastConfiguration: { components }, clusterGeneration: changed.metadata.generation });
  }

  const { components: last = {} } = (op.status?.lastConfiguration ?? {}) as { components?: Record<string, Last> };
  if (phase === 'Cancelling') {
    const gone = await allGone(round, cluster, spec, last);
    return gone ? end('Cancelled') : undefined;
  }
  if (spec.cancel) {
    // The whole last configuration goes back, whoever changed it since.
    await writeSizes(round, cluster, ({ name }) =>
      last[name] ? { replicas: last[name].replicas, offlineInstances: last[name].offlineInstances ?? [] } : undefined,
    );
    return status({ phase: 'Cancelling', cancelTimestamp: at() });
  }
  if (spec.timeoutSeconds && now() > Date.parse(String(op.status?.startTimestamp)) + spec.timeoutSeconds * 1_000) return end('Aborted');
  const { components, done, total } = await progress(round, cluster, spec, last);
  await status({ components, progress: `${done}/${total}` });
  // #9790: no shard to wait for is never called done before 1.0.2.
  const waitsForNothing = spec.horizontalScaling.some(({ shards }) => shards !== undefined) && total === 0;
  if (done === total && !waitsForNothing) await end('Succeed');
}

async function read({ api }: Round, path: string): Promise<Doc | undefined> {
  return api.get(path).catch((error) => {
    if (error instanceof RefusedError && error.status === 404) return undefined;
    throw error;
  });
}

type Component = Sizing & { name: string };
const componentsOf = (cluster: Doc): Component[] => (cluster.spec?.componentSpecs ?? []) as Component[];
const sizing = ({ replicas, offlineInstances = [] }: Component): Sizing => ({ replicas, offlineInstances });

function lastOf(cluster: Doc, name: string): object {
  const component = componentsOf(cluster).find((one) => one.name === name);
  const sharding = ((cluster.spec?.shardings ?? []) as { name: string; shards: number }[]).find((one) => one.name === name);
  if (sharding) return { shards: sharding.shards };
  const { replicas, offlineInstances = [] } = component as Component;
  return { replicas, ...(offlineInstances.length > 0 && { offlineInstances }) };
}

function scaledFor({ release }: Round, cluster: Doc, spec: Spec, { name }: Component, before: Sizing) {
  const item = spec.horizontalScaling.find(({ componentName }) => componentName === name);
  return item && scale(release, `${cluster.metadata.name}-${name}`, before, item);
}

/** PUTs the Cluster when a size differs; an empty offline list is left out. */
async function writeSizes({ api, paths }: Round, cluster: Doc, sizeOf: (component: Component) => Sizing | undefined): Promise<Doc> {
  const componentSpecs = componentsOf(cluster).map(({ offlineInstances: before, ...component }) => {
    const { replicas, offlineInstances } =
      sizeOf({ ...component, offlineInstances: before ?? [] } as Component) ??
      sizing({ ...component, offlineInstances: before ?? [] } as Component);
    return { ...component, replicas, ...(offlineInstances.length > 0 && { offlineInstances }) };
  });
  if (isDeepStrictEqual(componentSpecs, cluster.spec?.componentSpecs ?? [])) return cluster;
  return api.replace(`${paths.clusters}/${cluster.metadata.name}`, { ...cluster, spec: { ...cluster.spec, componentSpecs } });
}

async function progress(round: Round, cluster: Doc, spec: Spec, last: Record<string, Last>) {
  const pods = await round.api.list(round.paths.pods);
  const components: Record<string, unknown> = {};
  let done = 0;
  let total = 0;
  for (const component of componentsOf(cluster)) {
    const before = last[component.name];
    const scaled =
      before && scaledFor(round, cluster, spec, component, { replicas: before.replicas, offlineInstances: before.offlineInstances ?? [] });
    if (!scaled) continue;
    const find = (name: string) => pods.find(({ metadata }) => metadata.name === name);
    const creates = scaled.creates.map((name) => ({
      name,
      group: 'Create',
      good: ((pod) => pod !== undefined && isReady(pod))(find(name)),
    }));
    const deletes = scaled.deletes.map((name) => ({ name, group: 'Delete', good: find(name) === undefined }));
    const all = [...creates, ...deletes];
    const progressDetails = all.map(({ name, group, good }) => ({
      group: `${component.name}/${group}`,
      objectKey: `Pod/${name}`,
      status: good ? 'Succeed' : 'Pending',
      message: `${good ? 'Successfully' : 'wait to'} ${group.toLowerCase()} "Pod/${name}" in Component: ${component.name}`,
    }));
    components[component.name] = { phase: 'Running', progressDetails };
    done += all.filter(({ good }) => good).length;
    total += all.length;
  }
  return { components, done, total };
}

/** A cancelled scale-out is over when the pods it wanted are gone. */
async function allGone(round: Round, cluster: Doc, spec: Spec, last: Record<string, Last>): Promise<boolean> {
  const pods = await round.api.list(round.paths.pods);
  return componentsOf(cluster).every((component) => {
    const before = last[component.name];
    const scaled =
      before && scaledFor(round, cluster, spec, component, { replicas: before.replicas, offlineInstances: before.offlineInstances ?? [] });
    return !scaled?.creates.some((name) => pods.some(({ metadata }) => metadata.name === name));
  });
}
