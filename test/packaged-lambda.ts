import { type WritesCounted, writesCounted } from '../events/writes-counted.ts';
import { identityOf } from '../infra/kubernetes/rbac.ts';
import type { Remediation } from '../shared/remediation.ts';
import { Admin } from './control-plane/admin.ts';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { grantAll } from './control-plane/rights.ts';

/** The Kafka of the scenario with stale CRDs. */
export const KAFKA = '/apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkas/my-cluster';

/** The remediation's own RBAC, and a user that may do nothing but act as it. */
export async function grantRights(admin: Admin, plane: ControlPlane, remediation: Remediation): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const apiGroup = 'rbac.authorization.k8s.io';
  const mayActFor = { apiGroups: [''], resources: ['users'], resourceNames: [identityOf(remediation.name)], verbs: ['impersonate'] };
  await admin.create(`${rbac}/clusterroles`, { metadata: { name: 'act-for' }, rules: [mayActFor] });
  await admin.create(`${rbac}/clusterrolebindings`, {
    metadata: { name: 'act-for' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'act-for' },
    subjects: [{ apiGroup, kind: 'User', name: 'kubemend' }],
  });
  const impersonate = identityOf(remediation.name);
  await grantAll(admin, [remediation], {}, () => ({ ...plane.connection('kubemend', 'test'), impersonate }));
  // The API server learns of new rights a moment later.
  const acting = new Admin({ ...plane.connection('kubemend', 'test'), impersonate: identityOf(remediation.name) });
  await acting.until(KAFKA, () => true);
  acting.close();
}

/** What the exporter would send about the seeded Kafka. */
export async function makeFact(admin: Admin): Promise<WritesCounted> {
  const { metadata } = await admin.get(KAFKA);
  const iso = (before: number): string => new Date(Date.now() - before).toISOString();
  const kind = { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas', kind: 'Kafka' };
  return writesCounted.parse({
    ...{ id: 'fact-0001', cluster: 'prod', observedAt: iso(0), coverage: { sources: ['watch', 'audit'], gap: false, dropped: 0 } },
    object: { ...kind, namespace: 'kafka', name: 'my-cluster', uid: metadata.uid },
    window: { seconds: 600, start: iso(600_000), end: iso(0) },
    ...{ writes: 6, changes: 0, noops: 0, phantoms: 6, errors: 0, codes: { 200: 6 }, shape: 'churn' },
    actors: [{ user: 'operator', userAgent: 'strimzi-cluster-operator/0.43.0', pod: 'operator-1', verbs: ['update'], writes: 6 }],
    recent: [{ at: iso(1_000), effect: 'phantom' }],
  });
}
