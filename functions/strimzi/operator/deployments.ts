import type { Cluster } from '../../../shared/cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';

/** A container of a Deployment, as far as the operator is recognised by it. */
export interface Container {
  name?: string;
  image?: string;
  env?: Variable[];
}

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath?: string } };
}

/** What Strimzi's installation files and its chart call the container. */
const CONTAINER = 'strimzi-cluster-operator';

/** The Deployments that run a Strimzi operator: labelled `app=strimzi`, and with a container that is one. */
export async function readOperators(cluster: Cluster): Promise<KubernetesObject[]> {
  const labelled = await cluster.list({ group: 'apps', version: 'v1', resource: 'deployments', labelSelector: 'app=strimzi' });
  return labelled.filter((deployment) => operatorContainers(deployment).length > 0);
}

/** The containers of a Deployment that are the operator: by name, by image or by Strimzi's own variables. */
export function operatorContainers(deployment: KubernetesObject): Container[] {
  const { containers = [] } = podSpec(deployment) as { containers?: Container[] };
  const named = containers.filter(({ name }) => name === CONTAINER);
  const isOperator = ({ image = '', env = [] }: Container): boolean =>
    /operator$/.test(repositoryOf(image)) || env.some(({ name }) => name.startsWith('STRIMZI_'));
  return named.length > 0 ? named : containers.filter(isOperator);
}

/** The user that the API server authenticates the pods of a Deployment as. */
export const accountOf = (deployment: KubernetesObject): string => {
  const { serviceAccountName = 'default' } = podSpec(deployment) as { serviceAccountName?: string };
  return `system:serviceaccount:${deployment.metadata.namespace ?? ''}:${serviceAccountName}`;
};

/** A variable of the operator; where it is the Deployment's namespace, that. */
export function variableOf(deployment: KubernetesObject, name: string): string | undefined {
  const found = operatorContainers(deployment)
    .flatMap(({ env = [] }) => env)
    .find((one) => one.name === name);
  return found?.valueFrom?.fieldRef?.fieldPath === 'metadata.namespace' ? deployment.metadata.namespace : found?.value;
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

const podSpec = ({ spec }: KubernetesObject): object => (spec?.template as { spec?: object } | undefined)?.spec ?? {};
