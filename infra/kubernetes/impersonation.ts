import { identityOf, labelsOf, type RbacObject } from './rbac.ts';
import { type Subject, subjectOfBinding } from './subject.ts';

/** Where the functions share one token per cluster, the token acts as each function's user. */
const NAME = 'kubemend-functions';

/**
 * Lets a ServiceAccount act as the users of these remediations, and as no other user.
 * Throws when there is none: RBAC reads a rule without names as a rule for every name.
 */
export function impersonationRbac(remediations: string[], subject: Subject): RbacObject[] {
  if (remediations.length === 0) throw new Error('A role to impersonate needs the name of at least one user');
  const head = { apiVersion: 'rbac.authorization.k8s.io/v1' as const, metadata: { name: NAME, labels: labelsOf('functions') } };
  const resourceNames = remediations.map(identityOf);
  return [
    { ...head, kind: 'ClusterRole', rules: [{ apiGroups: [''], resources: ['users'], resourceNames, verbs: ['impersonate'] }] },
    {
      ...head,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME },
      subjects: [subjectOfBinding(subject)],
    },
  ];
}
