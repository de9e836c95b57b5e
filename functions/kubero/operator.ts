import type { Cluster } from '../../shared/cluster.ts';
import type { KubernetesObject } from '../../shared/kubernetes/object.ts';

/** A Deployment that runs the Kubero operator. */
export interface Operator {
  /** `namespace/name` */
  name: string;
  image: string;
  /** `0.2.1`; undefined when the image's tag is not one that Kubero publishes: a digest, `latest`, a vendor's suffix. */
  version: string | undefined;
  /** False when the Deployment is scaled to zero, or its controller reports that no pod exists. */
  running: boolean;
  /** True when the Deployment does not hold the namespaces that it watches, so that they may or may not include the one asked for. */
  unsure?: true;
}

interface PodTemplate {
  serviceAccountName?: string;
  containers?: Container[] | null;
}

interface Container {
  image?: string;
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { fieldRef?: { fieldPath?: string } } }[];
  envFrom?: unknown[];
}

const NAME = 'kubero-operator-controller-manager';
/** The names Kubero's own manifests use (config/default/kustomization.yaml and config/manager/manager.yaml of kubero-operator). */
const SYSTEM = 'kubero-operator-system';
const LEADER = '--leader-election-id=kubero-operator';
/** Kubero publishes `v0.2.1` and `v0.1.4-rc.5`. */
const TAG = /^v?(\d+\.\d+\.\d+(?:-rc\.\d+)?)$/;

/**
 * The Deployments of a Kubero operator that watch a namespace, whatever their labels: an unlabelled operator must not be overlooked. Each has two marks of one: a mirror may rename the image, and an image name alone can be
 * anything. Rights: `list` on Deployments.
 */
export async function kuberoOperators(cluster: Cluster, namespace: string | undefined): Promise<Operator[]> {
  const deployments = await cluster.list({ group: 'apps', version: 'v1', resource: 'deployments' });
  return deployments.flatMap((deployment) => asOperator(deployment, namespace ?? '')).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function asOperator({ metadata, spec, status }: KubernetesObject, namespace: string): Operator[] {
  const { containers: listed, serviceAccountName } = (spec?.template as { spec?: PodTemplate } | undefined)?.spec ?? {};
  const containers = listed ?? [];
  const named = containers.find(({ image = '' }) => parse(image).name === 'kuberoapp');
  const manager = named ?? containers.find(({ args = [] }) => args.includes(LEADER)) ?? containers.at(-1);
  const image = manager?.image ?? '';
  const marks = [
    named !== undefined,
    parse(image).folder === 'kubero-operator',
    containers.some(({ args = [] }) => args.includes(LEADER)),
    metadata.name === NAME,
    metadata.namespace === SYSTEM,
    serviceAccountName === NAME,
  ];
  if (marks.filter(Boolean).length < 2) return [];
  const watched = manager && watchedBy(manager, metadata.namespace);
  if (watched && watched !== 'elsewhere' && !watched.includes(namespace)) return [];
  const version = named && TAG.exec(parse(image).tag)?.[1];
  const noPods = status?.observedGeneration !== undefined && !status.replicas;
  const running = spec?.replicas !== 0 && !noPods;
  return [{ name: `${metadata.namespace}/${metadata.name}`, image, version, running, ...(watched === 'elsewhere' && { unsure: true }) }];
}

/** The namespaces that helm-operator watches: undefined for all of them, `elsewhere` where the Deployment does not hold the value. */
function watchedBy({ env = [], envFrom = [] }: Container, home: string | undefined): string[] | 'elsewhere' | undefined {
  const variable = env.find(({ name }) => name === 'WATCH_NAMESPACE');
  if (!variable) return envFrom.length > 0 ? 'elsewhere' : undefined;
  if (variable.valueFrom) return variable.valueFrom.fieldRef?.fieldPath === 'metadata.namespace' ? [home ?? ''] : 'elsewhere';
  const { value = '' } = variable;
  return value.includes('$(') ? 'elsewhere' : value === '' ? undefined : value.split(',');
}

/** `registry.local:5000/kubero-operator/kuberoapp:v0.2.1@sha256:…` into its folder, name and tag. */
function parse(image: string): { folder: string | undefined; name: string; tag: string } {
  const path = image.replace(/@.*$/, '').split('/');
  const [name = '', tag = ''] = (path.at(-1) ?? '').split(':');
  return { folder: path.at(-2), name, tag };
}
