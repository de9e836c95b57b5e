import type { Cluster } from '../../../shared/cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';

/** A container of a Deployment, as far as the operator is recognised by it. */
export interface Container {
  name?: string;
  image?: string;
  env?: Variable[] | null;
  envFrom?: unknown[];
}

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath?: string } };
}

/** A variable of the operator: its value, undefined when it is not set, `elsewhere` when the Deployment does not hold the value. */
export type Setting = { value: string } | 'elsewhere' | undefined;

/** What Strimzi's installation files and its chart call the container. */
const CONTAINER = 'strimzi-cluster-operator';

/** What no other program of Strimzi reads: the topic and user operators have `STRIMZI_` variables too. */
const OWN_VARIABLE = /^STRIMZI_(KAFKA_IMAGES$|LEADER_ELECTION_)/;

/** The Deployments with a container of a Strimzi operator, whatever their labels: an unlabelled operator must not be overlooked. */
export async function readOperators(cluster: Cluster): Promise<KubernetesObject[]> {
  const all = await cluster.list({ group: 'apps', version: 'v1', resource: 'deployments' });
  return all.filter((deployment) => operatorContainers(deployment).length > 0);
}

/** The containers of a Deployment that are the operator: by name, by its own variables and, when it is labelled `app=strimzi`, by image or any variable. */
export function operatorContainers(deployment: KubernetesObject): Container[] {
  const { containers } = podSpec(deployment) as { containers?: Container[] | null };
  const all = containers ?? [];
  const named = all.filter(({ name }) => name === CONTAINER);
  if (named.length > 0) return named;
  const isLabelled = deployment.metadata.labels?.app === 'strimzi';
  const variable = isLabelled ? /^STRIMZI_/ : OWN_VARIABLE;
  return all.filter(
    ({ image = '', env }) => (isLabelled && /operator$/.test(repositoryOf(image))) || (env ?? []).some(({ name }) => variable.test(name)),
  );
}

/** The user that the API server authenticates the pods of a Deployment as. */
export const accountOf = (deployment: KubernetesObject): string => {
  const { serviceAccountName = 'default' } = podSpec(deployment) as { serviceAccountName?: string };
  return `system:serviceaccount:${deployment.metadata.namespace ?? ''}:${serviceAccountName}`;
};

/** OLM passes the namespaces to watch in an annotation of the pods. */
const ANNOTATION = /^metadata\.annotations\['([^']+)'\]$/;

/** Reads a variable of the operator, also where it is a field of the Deployment's pods that the Deployment itself determines. */
export function settingOf(deployment: KubernetesObject, name: string): Setting {
  const containers = operatorContainers(deployment);
  const found = containers.flatMap(({ env }) => env ?? []).filter((one) => one.name === name);
  const [variable] = found;
  if (!variable) return containers.some(({ envFrom = [] }) => envFrom.length > 0) ? 'elsewhere' : undefined;
  // The kubelet expands $(OTHER).
  if (found.length > 1 || variable.value?.includes('$(')) return 'elsewhere';
  if (!variable.valueFrom) return { value: variable.value ?? '' };
  const path = variable.valueFrom.fieldRef?.fieldPath ?? '';
  if (path === 'metadata.namespace') return { value: deployment.metadata.namespace ?? '' };
  const annotation = ANNOTATION.exec(path)?.[1];
  return annotation === undefined ? 'elsewhere' : { value: templateOf(deployment).metadata?.annotations?.[annotation] ?? '' };
}

/** A variable of the operator; undefined where the Deployment does not hold it. */
export function variableOf(deployment: KubernetesObject, name: string): string | undefined {
  const setting = settingOf(deployment, name);
  return setting === 'elsewhere' ? undefined : setting?.value;
}

/** Whether its pods are being replaced. */
export const isRolling = ({ metadata, spec, status }: KubernetesObject): boolean =>
  status?.observedGeneration !== undefined &&
  (status.observedGeneration !== metadata.generation || Number(status.updatedReplicas ?? 0) < Number(spec?.replicas ?? 1));

/** When the Deployment itself (not its status) last changed, milliseconds; NaN when it does not say. */
export const changedAt = ({ metadata }: KubernetesObject): number => {
  const times = (metadata.managedFields ?? [])
    .filter(({ subresource }) => subresource !== 'status')
    .map(({ time = '' }) => Date.parse(time));
  return Math.max(...times, Date.parse(metadata.creationTimestamp ?? ''));
};

/** `registry.example:5000/strimzi/operator:0.43.0@sha256:…` becomes `registry.example:5000/strimzi/operator`. */
export const repositoryOf = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');

/** The tag of an image: `latest` where it has neither tag nor digest, undefined where it has a digest only. */
export const tagOf = (image: string): string | undefined =>
  /:([^/:@]+)(?:@.*)?$/.exec(image.replace(/@.*$/, ''))?.[1] ?? (image.includes('@') ? undefined : 'latest');

interface Template {
  metadata?: { annotations?: Record<string, string> };
  spec?: object;
}

const templateOf = ({ spec }: KubernetesObject): Template => (spec?.template as Template | undefined) ?? {};
const podSpec = (deployment: KubernetesObject): object => templateOf(deployment).spec ?? {};
