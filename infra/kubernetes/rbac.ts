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

/** Objects that rights are pinned to, by what a definition calls them. */
export type Pins = { [pin: string]: { namespace: string; name: string }[] };

/** The roles of one remediation, exactly its `rights`, bound to its own identity unless another is named. A pinned right is one Role per namespace of its pins. */
export function remediationRbac({ name, rights }: Pick<Remediation, 'name' | 'rights'>, subject?: Subject, pins: Pins = {}): RbacObject[] {
  const everywhere = rights.filter((right) => right.pinned === undefined && pinsOf(right, pins).length === 0);
  const namespaces = [...new Set(rights.flatMap((right) => pinsOf(right, pins).map(({ namespace }) => namespace)))];
  const namespaced = namespaces.flatMap((namespace) => {
    const pinned = rights.map((right) => ({ ...right, names: namesIn(namespace, pinsOf(right, pins)) }));
    const named = pinned.filter(({ names }) => names.length > 0);
    return role(name, named, subject, namespace);
  });
  return [...role(name, everywhere, subject), ...namespaced];
}

const pinsOf = ({ pinned = '', pinnable = pinned }: Right, pins: Pins) => pins[pinnable] ?? [];

const namesIn = (namespace: string, objects: { namespace: string; name: string }[]): string[] =>
  objects.filter((object) => object.namespace === namespace).map(({ name }) => name);

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
