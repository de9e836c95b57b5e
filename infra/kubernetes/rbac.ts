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

/** The role of one remediation, exactly its `rights`, bound to its identity. */
export const remediationRbac = ({ name, rights }: Remediation): RbacObject[] => role(name, rights);

/** The role of the exporter: to list and watch what some rule names, nothing else. */
export const exporterRbac = (resources: { group: string; resource: string }[]): RbacObject[] =>
  role(
    'exporter',
    resources.map(({ group, resource }): Right => ({ group, resources: [resource], verbs: ['list', 'watch'] })),
  );

function role(name: string, rights: Right[]): RbacObject[] {
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
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: identity }],
    },
  ];
}
