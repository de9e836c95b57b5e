import type { Json } from '../../../shared/canonical.ts';
import { allLive } from '../../../shared/evidence.ts';
import { FIELD_MANAGER } from '../../../shared/kubemend-marks.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { mergePatch, targetOf } from '../../../shared/plan.ts';
import { clear, fix, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { addonOf, survivesResync } from './addon.ts';
import type { Component, Scaling } from './api.ts';
import { type Cause, evidenceOf, tell } from './case.ts';
import { isPlain, names, retryMakes, templateOf } from './names.ts';
import { alsoRunning, lastOf, parentOf, type Situation, waitingBehind } from './situation.ts';
import type { StuckOnline } from './stuck-online.ts';

/** Fix B, first half: the controller cancels and puts the Cluster back as it was. The request comes again when that is done (`afterCancel`). */
export function cancelAndRetry(cause: Cause, situation: Situation, { component, parent, missing, scaling }: StuckOnline): Verdict {
  const { op, opReference } = situation;
  const queued = waitingBehind(situation).map(({ metadata }) => metadata.name);
  const last = lastOf(situation, component.name);
  const found = { component: component.name, replicas: component.replicas, missing, queued };
  const why = `${missing.join(', ')} will never be created, and ${queued.length} operations wait behind it`;
  const online = scaling.scaleOut?.offlineInstancesToOnline ?? [];
  const refused = (because: string, advice: string[]): Verdict => tell(cause, situation, `${why}; ${because}`, found, advice);
  // Cancelling writes the whole last configuration back: over anybody's change since.
  if (!last || !isUntouched(component, last, online))
    return refused('somebody changed the component meanwhile, and a cancel would undo that', ['Cancel it yourself if that may be undone']);
  const { instances = [], newInstances = [] } = scaling.scaleOut ?? {};
  if ((op.spec.horizontalScaling ?? []).length > 1 || instances.length > 0 || newInstances.length > 0)
    return refused('it asks for more than these instances', ['Cancel it, and ask again for one thing at a time']);
  const restored = { ...component, ...last, replicas: last.replicas ?? component.replicas };
  if (!onlyDefault(parent, online) || !retryMakes(parent, restored, online))
    return refused('asking again with a number would not make exactly these pods', ['Cancel it, and scale out by replicaChanges alone']);
  const addon = addonOf(situation, component);
  return fix(`${why} (${cause.issue})`, {
    evidence: allLive({ remedy: CANCEL, ...evidenceOf(cause, situation), ...found, addon }),
    ...(!survivesResync(addon) && { approval: 'always' }),
    steps: [
      mergePatch(
        targetOf(opReference, op),
        { spec: { cancel: true } },
        'cancel: it is asked for again, with a number, once the Cluster is restored',
      ),
    ],
  });
}

/** What the evidence of the first half calls it. */
const CANCEL = 'cancel and ask again';

/**
 * Fix B, second half: the cancel was ours and took effect, so the same request is made again with `replicaChanges`. Undefined: no such
 * cancel. `written`: the live values of the plans that this incident wrote. Only that record shows that kubemend cancelled the request:
 * anyone can write as the field manager `kubemend`. That manager has to be the last writer as well, because a person may have taken our
 * cancel back and cancelled the request again.
 */
export function afterCancel(situation: Situation, written: Record<string, Json>[] = []): Verdict | undefined {
  const { op, opReference, phase, cluster, components, pods, others, now } = situation;
  if (op.spec.type !== 'HorizontalScaling' || !op.spec.cancel || !wroteCancel(op)) return undefined;
  if (!written.some(({ remedy }) => remedy === CANCEL)) return undefined;
  const scaling = op.spec.horizontalScaling?.find(({ scaleOut }) => scaleOut?.offlineInstancesToOnline?.length);
  const component = components.find(({ name }) => name === scaling?.componentName);
  if (!scaling || !component) return undefined;
  const online = scaling.scaleOut?.offlineInstancesToOnline ?? [];
  if (phase === 'Running' || phase === 'Cancelling') return wait('our cancel is being carried out', '2s');
  if (phase !== 'Cancelled') return clear(`the operation ended as ${phase} before our cancel`);
  const name = retryName(op);
  const retry = others.find(({ metadata }) => metadata.name === name);
  if (retry) return judge(retry.status?.phase ?? 'new', name);
  if (online.some((pod) => pods.has(pod))) return clear('the instances are online');
  if (now - Date.parse(op.status?.completionTimestamp ?? '') > 3_600_000) return clear('it was cancelled long ago');
  const busy = [...alsoRunning(situation), ...waitingBehind(situation).map(({ metadata }) => metadata.name)];
  if (busy.length > 0) return wait(`other operations come first: ${[...new Set(busy)].join(', ')}`, '5s');
  const { phase: clusterPhase, observedGeneration } = cluster.status ?? {};
  if (clusterPhase !== 'Running' || observedGeneration !== cluster.metadata.generation)
    return wait('the Cluster is not settled after the cancel', '2s');
  const parent = parentOf(situation, component.name);
  const offline = component.offlineInstances ?? [];
  if (!isPlain(component) || !online.every((pod) => offline.includes(pod)) || !retryMakes(parent, component, online))
    return report('the Cluster is no longer as the cancel left it: the request is not made again', {
      evidence: allLive({ component: component.name, online, offline }),
      advice: [`Look at the Cluster, then ask again for ${online.join(', ')} with scaleOut.replicaChanges ${online.length}`],
    });
  const reference = { ...opReference, name };
  return fix(`our cancel restored the Cluster: the request is made again with replicaChanges ${online.length}`, {
    evidence: allLive({ remedy: 'ask again', component: component.name, online, makes: [...names(parent, component), ...online].sort() }),
    continues: true,
    ...(!survivesResync(addonOf(situation, component)) && { approval: 'always' }),
    steps: [{ kind: 'create', target: reference, object: again(op, scaling, name), reason: 'make the request again, with a number' }],
  });
}

function judge(phase: string, name: string): Verdict {
  if (phase === 'Succeed') return clear(`${name} brought the instances online`);
  const ended = ['Failed', 'Aborted', 'Cancelled'].includes(phase);
  return ended ? report(`${name} ended as ${phase}`, { advice: ['Look at its conditions'] }) : wait(`${name} is ${phase}`, '2s');
}

/** Whether the component is still what this operation made of it. */
const isUntouched = (component: Component, last: NonNullable<ReturnType<typeof lastOf>>, online: string[]): boolean => {
  const offline = (last.offlineInstances ?? []).filter((name) => !online.includes(name));
  const sorted = (list: string[] = []): string => [...list].sort().join();
  const templates = ({ instances = [] }: Pick<Component, 'instances'>) => instances.map(({ name, replicas = 1 }) => `${name} ${replicas}`);
  return (
    last.replicas === component.replicas &&
    sorted(offline) === sorted(component.offlineInstances) &&
    sorted(templates(last)) === sorted(templates(component))
  );
};

/** `replicaChanges` raises the component, never one of its templates. */
const onlyDefault = (parent: string, online: string[]): boolean => online.every((pod) => templateOf(parent, pod) === '');

/** Whether the field manager that last wrote `spec.cancel` is named as ours. */
const wroteCancel = ({ metadata }: KubernetesObject): boolean =>
  (metadata.managedFields ?? []).some(({ manager, fieldsV1 }) => {
    const spec = fieldsV1?.['f:spec'] as Record<string, unknown> | undefined;
    return manager === FIELD_MANAGER && spec?.['f:cancel'] !== undefined;
  });

/** Names of operations become label values: 63 characters. */
const retryName = ({ metadata }: KubernetesObject): string => `${metadata.name.slice(0, 57)}-retry`;

function again(op: KubernetesObject, scaling: Scaling, name: string): KubernetesObject {
  const { cancel: _, timeoutSeconds: __, force: ___, ...spec } = op.spec ?? {};
  const online = scaling.scaleOut?.offlineInstancesToOnline ?? [];
  const replicaChanges = online.length;
  return {
    apiVersion: op.apiVersion as string,
    kind: 'OpsRequest',
    metadata: { name, ...(op.metadata.namespace && { namespace: op.metadata.namespace }) },
    spec: {
      ...spec,
      // A Cluster that is still Updating would fail it at once.
      preConditionDeadlineSeconds: Math.max(Number(spec.preConditionDeadlineSeconds ?? 0), 300),
      horizontalScaling: [{ componentName: scaling.componentName, scaleOut: { offlineInstancesToOnline: online, replicaChanges } }],
    },
  };
}
