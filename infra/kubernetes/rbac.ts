import type { Remediation, Right } from '../../shared/remediation.ts';
import { type Subject, subjectId, subjectOfBinding } from './subject.ts';

export type { Subject } from './subject.ts';

/** A Kubernetes RBAC object, ready to be applied. */
export interface RbacObject {
  apiVersion: 'rbac.authorization.k8s.io/v1';
  kind: 'ClusterRole' | 'ClusterRoleBinding' | 'Role' | 'RoleBinding';
  metadata: { name: string; namespace?: string; labels: Record<string, string> };
  [field: string]: unknown;
}

/** The user name of a remediation or of the exporter: one identity each, so that the audit log names the function. */
export const identityOf = (name: string): string => `kubemend:${name.replace('/', ':')}`;

/** Labels of every object: `component` finds the objects of one remediation, to take rights back (`kubectl apply` never removes an object). */
export const labelsOf = (name: string): Record<string, string> => ({
  'app.kubernetes.io/part-of': 'kubemend',
  'app.kubernetes.io/component': name.replace('/', '.'),
});

/** Objects that rights are pinned to, by what a definition calls them. */
export type Pins = { [pin: string]: { namespace: string; name: string }[] };

/** How far rights reach. */
export interface Reach {
  /** Default: the user named after the remediation. */
  subject?: Subject | undefined;
  pins?: Pins;
  /** Only in these; absent or empty: in all namespaces. Rights of scope `cluster` stay cluster-wide. */
  namespaces?: string[];
}

type Owner = Pick<Remediation, 'name' | 'rights'>;

/** The roles of one remediation: exactly its `rights`, as far as `reach` goes. A pinned right is one Role per namespace of its pins. */
export function remediationRbac({ name, rights }: Owner, reach: Reach = {}): RbacObject[] {
  const { subject } = reach;
  const grants = rights.flatMap((right) => grantsOf(right, reach));
  const places = [...new Set(grants.map(({ namespace }) => namespace))].sort((a, b) => (a ?? '').localeCompare(b ?? ''));
  const whole = places.includes(undefined) ? places : [undefined, ...places];
  return whole.flatMap((place) => {
    const granted = grants.filter(({ namespace }) => namespace === place).map(({ right }) => right);
    return granted.length > 0 ? role(name, granted, subject, place) : [];
  });
}

/** Rights that are granted nowhere, because RBAC could only grant them for every object, and that is never the default. */
export const withheldRights = ({ rights }: Owner, reach: Reach = {}): Right[] =>
  rights.filter((right) => grantsOf(right, reach).length === 0);

/** A right in one namespace, or in all (undefined). */
interface Grant {
  right: Right;
  namespace: string | undefined;
}

/** Where a right is granted, and for which names; nowhere: an empty list. */
export function grantsOf(right: Right, { pins = {}, namespaces = [] }: Reach): Grant[] {
  const objects = pins[right.pinned ?? right.pinnable ?? ''] ?? [];
  if (objects.length > 0) {
    const within = Map.groupBy(objects, ({ namespace }) => namespace);
    return [...within].map(([namespace, its]) => ({ right: { ...right, names: its.map(({ name }) => name) }, namespace }));
  }
  if (right.pinned !== undefined) return [];
  if (right.scope !== 'cluster' && namespaces.length > 0) return namespaces.map((namespace) => ({ right, namespace }));
  // RBAC cannot grant metadata alone: whoever may read Secrets may read their data.
  return readsSecrets(right) ? [] : [{ right, namespace: undefined }];
}

const readsSecrets = ({ group, resources }: Right): boolean => group === '' && resources.some((resource) => resource === 'secrets');

/** What is left of a remediation's rights in shadow mode. */
export const readOnly = ({ name, rights }: Owner): Owner => ({
  name,
  rights: rights
    // A stream is opened with `get` and `create` (measured), also when it is only read.
    .map(({ writeCommands: _, ...right }) => ({
      ...right,
      verbs: right.verbs.filter((verb) => READING.has(verb) || right.pinned !== undefined),
    }))
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

function role(name: string, rights: Right[], shared?: Subject, namespace?: string): RbacObject[] {
  const scope = namespace === undefined ? 'ClusterRole' : 'Role';
  // Each shared subject has roles of its own: a role for writing, applied for one subject, must not reach another that is in shadow mode.
  const objectName = shared ? `${identityOf(name)}:${subjectId(shared)}` : identityOf(name);
  const subject: Subject = shared ?? { kind: 'User', name: identityOf(name) };
  const head = {
    apiVersion: 'rbac.authorization.k8s.io/v1' as const,
    metadata: { name: objectName, ...(namespace !== undefined && { namespace }), labels: labelsOf(name) },
  };
  const rules = merge(rights).map(({ group, resources, names, verbs }) => ({
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
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: scope, name: objectName },
      subjects: [subjectOfBinding(subject)],
    },
  ];
}

/** One rule per kind and names: what is read and what is written of the same objects stands together. */
export function merge(rights: Right[]): Right[] {
  const same = Map.groupBy(rights, ({ group, resources, names, pinned, pinnable }) =>
    JSON.stringify([group, resources, names, pinned ?? pinnable]),
  );
  return [...same.values()].map((its) => ({ ...(its[0] as Right), verbs: [...new Set(its.flatMap(({ verbs }) => verbs))] }));
}
