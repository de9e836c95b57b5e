import type { Doc, Draft } from '../../control-plane/admin.ts';

/** Base64 of `empty`: what the chart's `default` puts where `lookup` found nothing. */
const NOTHING = 'ZW1wdHk=';
const DOCKERCONFIG = '.dockerconfigjson';

interface Spec {
  deploymentstrategy?: string;
  phases?: { name: string; enabled: boolean }[];
  registry?: { createSecret?: string; host?: string; username?: string; password?: string };
}

/**
 * Renders the chart kuberopipeline of 0.1.5 to 0.2.1: a namespace for each enabled phase, and its pull secret. `login` is what
 * `lookup` finds: the Secret registry-login in an upgrade, and nothing in a dry run.
 */
export function render({ metadata: { name }, spec }: Doc, login: Doc | undefined): Draft[] {
  const { deploymentstrategy, phases = [], registry = {} } = spec as Spec;
  return phases
    .filter(({ enabled }) => enabled)
    .flatMap((phase) => {
      const namespace = `${name}-${phase.name}`;
      const data = pullSecret(deploymentstrategy, registry, login?.data as Record<string, string> | undefined);
      const labels = { 'app.kubernetes.io/managed-by': 'Helm' };
      const head = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson' };
      return [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
        ...(data ? [{ ...head, metadata: { name: 'kubero-pull-secret', namespace, labels }, data }] : []),
      ];
    });
}

function pullSecret(strategy: string | undefined, registry: NonNullable<Spec['registry']>, login: Record<string, string> | undefined) {
  const { createSecret = 'create', host = 'missingregistry.mydomain.com/example', username = 'admin', password = 'admin' } = registry;
  if (strategy !== 'git' || createSecret === 'none') return undefined;
  if (createSecret === 'copy') return { [DOCKERCONFIG]: login?.[DOCKERCONFIG] ?? NOTHING };
  return { [DOCKERCONFIG]: base64(JSON.stringify({ auths: { [host]: { username, password } } })) };
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
