import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { changedAt, operatorContainers, repositoryOf, tagOf } from './deployments.ts';

/** What one source in the cluster says about an operator's version. Anything but a release is the version of an unknown build. */
export interface Statement {
  /** `the image tag`, for people. */
  source: string;
  says: string;
}

interface Witness {
  source: string;
  /** The versions that a Deployment states there; empty where it states none. */
  read(deployment: KubernetesObject): (string | undefined)[];
}

const CHART = 'strimzi-kafka-operator-';
/** The variables whose image is the operator's own. */
const OWN_IMAGES = /^STRIMZI_DEFAULT_(TOPIC_OPERATOR|USER_OPERATOR|KAFKA_INIT)_IMAGE$/;
/** Strimzi tags its Kafka images with its own version first. */
const KAFKA_TAG = /^(\d+\.\d+\.\d+)-kafka-\d+\.\d+\.\d+$/;

/** Where a Deployment of the operator states its version. Each can be set by whoever deploys it, so all that speak have to agree. */
const WITNESSES: Witness[] = [
  { source: 'the image tag', read: (deployment) => operatorContainers(deployment).map(({ image = '' }) => tagOf(image)) },
  { source: 'the label helm.sh/chart', read: ({ metadata }) => [chartVersion(metadata.labels?.['helm.sh/chart'])] },
  { source: 'the label chart', read: ({ metadata }) => [chartVersion(metadata.labels?.chart)] },
  { source: 'the label app.kubernetes.io/version', read: ({ metadata }) => [metadata.labels?.['app.kubernetes.io/version']] },
  { source: 'the operator images in the environment', read: (deployment) => imagesIn(deployment, OWN_IMAGES).map(ownVersion) },
  {
    source: 'the Kafka images in the environment',
    read: (deployment) => imagesIn(deployment, /^STRIMZI_.*_IMAGES?$/).map((image) => KAFKA_TAG.exec(tagOf(image) ?? '')?.[1]),
  },
];

/** A version as Strimzi releases it: `0.43.0`. `0.43.0-custom1`, `0.43.0.redhat-00011` and `latest` are none. */
export const isRelease = (version: string): boolean => /^\d+\.\d+\.\d+$/.test(version);

/** Everything a Deployment states about its version, each statement once. */
export function statementsOf(deployment: KubernetesObject): Statement[] {
  return WITNESSES.flatMap(({ source, read }) =>
    [...new Set(read(deployment).filter((says) => says !== undefined))].map((says) => ({ source, says })),
  );
}

/**
 * What the operator wrote about itself into the status of a Kafka. `proves`: it speaks of the operator that runs now, because its last
 * reconciliation succeeded and was later than every change of the Deployments. Otherwise it can only contradict.
 */
export function statusStatement(
  { metadata, status = {} }: KubernetesObject,
  operators: KubernetesObject[],
): (Statement & { proves: boolean }) | undefined {
  const says = status.operatorLastSuccessfulVersion;
  if (typeof says !== 'string') return undefined;
  const conditions = (status.conditions ?? []) as { type: string; status: string }[];
  const isReady = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  // Whole seconds, cut off: a write in the second of the change is not known to be later.
  const written = (metadata.managedFields ?? []).some(
    ({ subresource, time = '', fieldsV1 }) =>
      subresource === 'status' &&
      Object.hasOwn((fieldsV1?.['f:status'] ?? {}) as object, 'f:operatorLastSuccessfulVersion') &&
      operators.every((operator) => Date.parse(time) > changedAt(operator)),
  );
  return { source: 'the status of the Kafka', says, proves: isReady && written };
}

const chartVersion = (chart: string | undefined): string | undefined => (chart?.startsWith(CHART) ? chart.slice(CHART.length) : undefined);

/** The tag of an operator image; nothing where another program stands in its place. */
const ownVersion = (image: string): string | undefined => (/operator$/.test(repositoryOf(image)) ? tagOf(image) : undefined);

/** The images in variables of these names; Kafka's are listed by Kafka version, one `3.8.0=image` a line. */
const imagesIn = (deployment: KubernetesObject, name: RegExp): string[] =>
  operatorContainers(deployment)
    .flatMap(({ env }) => (env ?? []).filter((variable) => name.test(variable.name)))
    .flatMap(({ value = '' }) => value.split(/\s+/))
    .map((entry) => entry.replace(/^[\d.]+=/, ''))
    .filter((image) => image !== '');
