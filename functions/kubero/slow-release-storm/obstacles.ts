import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import type { Operator } from '../operator.ts';
import { isWithin } from './cause.ts';
import type { Revision } from './release-secrets.ts';

/** The newest version the failure is known in. */
const NEWEST = '0.2.1';

/** What prevents a fix, one sentence each: the operator is not the one whose behaviour is known, or does not run. */
export function operatorObstacles(operators: Operator[]): string[] {
  const running = operators.filter((operator) => operator.running);
  if (operators.length === 0) return ['no Kubero operator is found'];
  if (running.length === 0) return operators.map(({ name }) => `the operator ${name} does not run`);
  const unsure = running.filter((operator) => operator.unsure);
  if (unsure.length > 0) return unsure.map(({ name }) => `which namespaces the operator ${name} watches is not in its Deployment`);
  const unknown = running.filter(({ version }) => version === undefined);
  if (unknown.length > 0) return unknown.map(({ name, image }) => `the version of ${name} is unknown: its image is ${image}`);
  const versions = versionsOf(running);
  if (versions.length > 1) return [`operators of several versions run: ${versions.join(', ')}`];
  return versions
    .filter((version) => !isWithin(version, `<=${NEWEST}`))
    .map((version) => `operator ${version} is newer than ${NEWEST}, the last version with this failure that is known`);
}

/**
 * What prevents a fix, one sentence each: the release is not proven to be helm-operator's. Anyone who may create Secrets in the
 * namespace can create some that look like revisions. The status of the pipeline is written by its operator alone, and Helm leaves no
 * gap: an operator keeps the deployed revision and those it made after it.
 */
export function releaseObstacles({ metadata: { name }, status }: KubernetesObject, revisions: Revision[]): string[] {
  const conditions = (status?.conditions ?? []) as { type?: string; status?: string }[];
  const { name: release = name } = (status?.deployedRelease ?? {}) as { name?: string };
  const deployed = conditions.some((condition) => condition.type === 'Deployed' && condition.status === 'True');
  const gap = revisions.find(({ version }, index) => index > 0 && version !== Number(revisions[index - 1]?.version) + 1);
  return [
    ...(deployed ? [] : ['the status of the pipeline does not say that a release is deployed']),
    ...(release === name ? [] : [`the status of the pipeline names another release, ${release}`]),
    ...(gap ? [`the Secret of revision ${gap.version} exists without the one before it, but not as the oldest: Helm leaves no gap`] : []),
  ];
}

/** The versions that run, each once. */
export const versionsOf = (operators: Operator[]): string[] => [...new Set(operators.flatMap(({ version }) => version ?? []))].sort();
