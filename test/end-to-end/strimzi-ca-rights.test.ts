import { describe, expect, it } from '@jest/globals';
import { identityOf, remediationRbac } from '../../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { Admin } from '../control-plane/admin.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';

const NAME = 'strimzi/resume-ca-roll';

describe('the rights of strimzi/resume-ca-roll, asked of a real API server', () => {
  it('are what it needs, and nothing else', async () => {
    const plane = await startControlPlane({ users: [{ name: identityOf(NAME) }] });
    const admin = new Admin(plane.connection('admin', 'test'));
    const own = new Admin(plane.connection(identityOf(NAME), 'test'));
    try {
      const remediation = (await loadRemediations()).find(({ name }) => name === NAME);
      if (!remediation) throw new Error();
      for (const object of remediationRbac(remediation)) {
        await admin.create(`/apis/rbac.authorization.k8s.io/v1/${object.kind.toLowerCase()}s`, { ...object });
      }
      const can = async (verb: string, group: string, resource: string, name?: string, subresource?: string): Promise<unknown> => {
        const resourceAttributes = {
          namespace: 'kafka',
          verb,
          group,
          resource,
          ...(name && { name }),
          ...(subresource && { subresource }),
        };
        const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
        return (await own.create('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).status?.allowed;
      };
      const rights: [verbs: string, group: string, resource: string, name?: string, subresource?: string][] = [
        ['', '', 'secrets', 'my-cluster-cluster-ca'],
        ['get list patch', '', 'pods'],
        ['get list patch', 'core.strimzi.io', 'strimzipodsets'],
        ['get', 'kafka.strimzi.io', 'kafkas'],
        ['list', 'apps', 'deployments'],
        ['get', 'coordination.k8s.io', 'leases', 'strimzi-cluster-operator'],
        ['list create', 'events.k8s.io', 'events'],
      ];
      const others: typeof rights = [
        ['create', '', 'pods', 'x', 'exec'],
        ['create', '', 'pods', 'x', 'eviction'],
        ['get', '', 'pods', 'x', 'log'],
        ['patch', '', 'pods', 'x', 'status'],
        ['get', 'coordination.k8s.io', 'leases', 'another'],
        ['get', '', 'configmaps'],
        ['patch', 'apps', 'replicasets'],
      ];
      const all = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
      const wrong: string[] = [];
      for (const [verbs, ...attributes] of rights) {
        for (const verb of all)
          if ((await can(verb, ...attributes)) !== verbs.split(' ').includes(verb)) wrong.push(`${verb} ${attributes.join(' ')}`);
      }
      for (const [verb, ...attributes] of others) if (await can(verb, ...attributes)) wrong.push(`${verb} ${attributes.join(' ')}`);
      expect(wrong).toEqual([]);
    } finally {
      own.close();
      admin.close();
      await plane.stop();
    }
  }, 60_000);
});
