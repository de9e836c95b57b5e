import type { Remediation, Right } from '../../shared/remediation.ts';

/** A Kubernetes RBAC object, ready to be applied. */
export interface RbacObject {
  apiVersion: 'rbac.authorization.k8s.io/v1';
  kind: 'ClusterRole' | 'ClusterRoleBinding' | 'Role' | 'RoleBinding';
  metadata: { name: string; namespace?: string; labels: Record<string, string> };
  [field: string]: unknown;
}

/** The user name of a remediation or of the exporter: one identity each, so that the audit log names the function. */
export const identityOf = (name: string): string => `kubemend:${name.replace('/', ':')}`;

/** Who gets a role. */
export type Subject = { kind: 'User'; name: string } | { kind: 'ServiceAccount'; namespace: string; name: string };

/** Pods that rights are pinned to, by what a definition calls them. */
export type Pins = Partial<Record<NonNullable<Right['pinned']>, { namespace: string; name: string }[]>>;

/** The roles of one remediation, exactly its `rights`, bound to its own identity unless another is named. A pinned right is one Role per namespace of its pins. */
export function remediationRbac({ name, rights }: Pick<Remediation, 'name' | 'rights'>, subject?: Subject, pins: Pins = {}): RbacObject[] {
  const everywhere = rights.filter(({ pinned }) => pinned === undefined);
  const namespaced = rights.flatMap((right) => {
    const pods = (right.pinned && pins[right.pinned]) ?? [];
    return [...new Set(pods.map(({ namespace }) => namespace))].map((namespace) => {
      const names = pods.filter((pod) => pod.namespace === namespace).map((pod) => pod.name);
      return { namespace, right: { ...right, names } };
    });
  });
  return [...role(name, everywhere, subject), ...namespaced.flatMap(({ namespace, right }) => role(name, [right], subject, namespace))];
}

/** What is left of a remediation's rights in shadow mode. */
export const readOnly = ({ name, rights }: Remediation): Pick<Remediation, 'name' | 'rights'> => ({
  name,
  rights: rights
    // A stream is opened with `get` and `create` (measured), also when it is only read.
    .map((right) => ({ ...right, verbs: right.verbs.filter((verb) => READING.has(verb) || right.pinned !== undefined) }))
    .filter(({ verbs }) => verbs.length > 0),
});

const READING = new Set<Right['verbs'][number]>(['get', 'list', 'watch']);

/** The role of the exporter: to list and watch what some rule names, nothing else. */
export const exporterRbac = (resources: { group: string; resource: string }[], subject?: Subject): RbacObject[] =>
  role(
    'exporter',
    resources.map(({ group, resource }): Right => ({ group, resources: [resource], verbs: ['list', 'watch'] })),
    subject,
  );

function role(
  name: string,
  rights: Right[],
  subject: Subject = { kind: 'User', name: identityOf(name) },
  namespace?: string,
): RbacObject[] {
  const scope = namespace === undefined ? 'ClusterRole' : 'Role';
  const identity = identityOf(name);
  const head = {
    apiVersion: 'rbac.authorization.k8s.io/v1' as const,
    metadata: { name: identity, ...(namespace !== undefined && { namespace }), labels: { 'app.kubernetes.io/part-of': 'kubemend' } },
  };
  const rules = rights.map(({ group, resources, names, verbs }) => ({
    apiGroups: [group],
    resources,
    ...(names && { resourceNames: names }),
    verbs,
  }));
  return [
    { ...head, kind: scope, rules },
    {
      ...head,
      kind: `${scope}Binding`,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: scope, name: identity },
      subjects: [subject.kind === 'User' ? { apiGroup: 'rbac.authorization.k8s.io', ...subject } : subject],
    },
  ];
}
