import type { Component, Scaling } from './api.ts';
import { isPlain, names, templateOf } from './names.ts';
import { detailsOf, lastOf, parentOf, type Situation } from './situation.ts';

/** A request to bring instances online that can never end: the proof of #9000. */
export interface StuckOnline {
  scaling: Scaling;
  component: Component;
  /** In the Cluster's `componentSpecs`. */
  index: number;
  /** `<cluster>-<component>` */
  parent: string;
  /** Requested instances that the Cluster, as it is, never makes. */
  missing: string[];
}

/**
 * What makes the request impossible, whatever time it takes: the requested name is not among the names the Cluster asks for, though
 * the controller has written the Cluster for this operation, and the pod does not exist. Everything else is a look-alike.
 */
export function stuckOnline(situation: Situation): StuckOnline[] {
  const { op, cluster, phase } = situation;
  const { clusterGeneration = phase === 'Succeed' ? 0 : Infinity } = op.status ?? {};
  if ((cluster.metadata.generation ?? 0) < clusterGeneration) return [];
  return (op.spec.horizontalScaling ?? []).flatMap((scaling) => impossible(situation, scaling) ?? []);
}

function impossible(situation: Situation, scaling: Scaling): StuckOnline | undefined {
  const { components, shardings, pods, phase } = situation;
  const { componentName, shards, scaleOut } = scaling;
  const index = components.findIndex(({ name }) => name === componentName);
  const component = components[index];
  if (!component || !isPlain(component) || shards !== undefined || shardings.some(({ name }) => name === componentName)) return undefined;
  // An explicit number always raises the replicas enough, in every version; so does a template's own.
  if (!scaleOut || scaleOut.replicaChanges !== undefined) return undefined;
  const parent = parentOf(situation, componentName);
  const online = (scaleOut.offlineInstancesToOnline ?? []).filter(
    (pod) => !scaleOut.instances?.some(({ name }) => name === templateOf(parent, pod)),
  );
  const expected = names(parent, component);
  // While a name is still offline the Cluster is not written yet, or it was put back.
  const missing = online.filter((pod) => !expected.has(pod) && !pods.has(pod) && !component.offlineInstances?.includes(pod));
  if (missing.length === 0) return undefined;
  const found = { scaling, component, index, parent, missing };
  if (phase === 'Running') return missing.every((pod) => isAwaited(situation, componentName, pod)) ? found : undefined;
  return phase === 'Succeed' && endedShort(situation, component, online) ? found : undefined;
}

/** The operation says itself that it waits for this pod to be created. */
const isAwaited = (situation: Situation, component: string, pod: string): boolean =>
  detailsOf(situation, component).some(({ objectKey, status }) => objectKey === `Pod/${pod}` && status === 'Pending');

/** The silent variant: it ended having counted fewer instances than were asked for, and nobody changed the replicas since. */
function endedShort(situation: Situation, component: Component, online: string[]): boolean {
  const [, total] = (situation.op.status?.progress ?? '').split('/').map(Number);
  const before = lastOf(situation, component.name)?.replicas;
  return total !== undefined && total < online.length && before !== undefined && component.replicas === before + total;
}
