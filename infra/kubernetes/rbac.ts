import type { Remediation, Right } from '../../shared/remediation.ts';

/** A Kubernetes RBAC object, ready to be applied. */
export interface RbacObject {
  apiVersion: 'rbac.authorization.k8s.io/v1';
  kind: 'ClusterRole' | 'ClusterRoleBinding';
  metadata: { name: string; labels: Record<string, string> };
  [field: string]: unknown;
}

/** The user name of a remediation or of the exporter: one identity each, so that the audit log names the function. */
export const identityOf = (name: string): string => `kubemend:${name.replace('/', ':')}`;

/** Who gets a role. */
export type Subject = { kind: 'User'; name: string } | { kind: 'ServiceAccount'; namespace: string; name: string };

/** The role of one remediation, exactly its `rights`, bound to its own identity unless another is named. */
export const remediationRbac = ({ name, rights }: Pick<Remediation, 'name' | 'rights'>, subject?: Subject): RbacObject[] =>
  role(name, rights, subject);

/** What is left of a remediation's rights in shadow mode. */
export const readOnly = ({ name, rights }: Remediation): Pick<Remediation, 'name' | 'rights'> => ({
  name,
  rights: rights
    .map((right) => ({ ...right, verbs: right.verbs.filter((verb) => READING.has(verb)) }))
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

function role(name: string, rights: Right[], subject: Subject = { kind: 'User', name: identityOf(name) }): RbacObject[] {
  const identity = identityOf(name);
  const head = {
    apiVersion: 'rbac.authorization.k8s.io/v1' as const,
    metadata: { name: identity, labels: { 'app.kubernetes.io/part-of': 'kubemend' } },
  };
  const rules = rights.map(({ group, resources, names, verbs }) => ({
    apiGroups: [group],
    resources,
    ...(names && { resourceNames: names }),
    verbs,
  }));
  return [
    { ...head, kind: 'ClusterRole', rules },
    {
      ...head,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: identity },
      subjects: [subject.kind === 'User' ? { apiGroup: 'rbac.authorization.k8s.io', ...subject } : subject],
    },
  ];
}
