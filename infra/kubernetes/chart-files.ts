import { stringify } from 'yaml';
import { type Rule, subscriptions } from '../../events/exporter/reduce/rules.ts';
import { exporterRbac } from './rbac.ts';

/** The files of the Helm chart that are made from the definitions, by their path in `infra/kubernetes/chart/`. */
export function chartFiles(rules: Rule[]): Record<string, string> {
  const { resources } = subscriptions(rules);
  const sorted = resources.toSorted((a, b) => compare(a.group, b.group) || compare(a.resource, b.resource));
  const [role] = exporterRbac(sorted);
  return {
    'files/rbac-rules.yaml': `${GENERATED}${stringify(role?.rules)}`,
    'files/audit-policy.yaml': `${GENERATED}${auditPolicy(sorted)}`,
  };
}

const GENERATED = '# Written by `npm run chart` from functions/*/*/index.ts: do not edit.\n';

/** What the API server should log for the exporter: who wrote what of the watched resources, never a body. */
function auditPolicy(resources: { group: string; resource: string }[]): string {
  const groups = Map.groupBy(resources, ({ group }) => group);
  const watched = [...groups].map(([group, members]) => ({
    group,
    // A status write is a write: `x/*` are the subresources.
    resources: members.flatMap(({ resource }) => [resource, `${resource}/*`]),
  }));
  return `# Who wrote what the exporter counts: metadata only, so that no body and no Secret leaves the API server. First match wins.
# An API server has one policy, for its log as for the webhook. If yours has one, put these rules in front of its own, without the last.
${stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  omitManagedFields: true,
  rules: [
    { level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'], resources: watched },
    // Renewed about every 2 s: while it comes, audit flows, however quiet the cluster is.
    {
      level: 'Metadata',
      verbs: ['update', 'patch'],
      namespaces: ['kube-system'],
      resources: [{ group: 'coordination.k8s.io', resources: ['leases'], resourceNames: ['kube-controller-manager'] }],
    },
    { level: 'None' },
  ],
})}`;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
