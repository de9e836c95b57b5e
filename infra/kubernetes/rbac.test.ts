import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { subscriptions } from '../../events/exporter/reduce/rules.ts';
import type { Remediation } from '../../shared/remediation.ts';
import { Admin } from '../../test/control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../../test/control-plane/control-plane.ts';
import { install } from '../../test/control-plane/rights.ts';
import { loadRemediations } from '../remediations.ts';
import { exporterRbac, grantsOf, identityOf, readOnly, remediationRbac } from './rbac.ts';

let plane: ControlPlane;
let admin: Admin;
let remediations: Remediation[];

beforeAll(async () => {
  remediations = await loadRemediations();
  plane = await startControlPlane();
  admin = new Admin(plane.connection('admin', 'test'));
  const rules = remediations.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
  const shadow = remediations.map(readOnly).map((one) => ({ ...one, name: `shadow/${one.name.replace('/', '-')}` }));
  const objects = [...exporterRbac(subscriptions(rules).resources), ...[...remediations, ...shadow].flatMap((one) => remediationRbac(one))];
  for (const object of objects) await admin.create(`/apis/rbac.authorization.k8s.io/v1/${object.kind.toLowerCase()}s`, { ...object });
  await granted(() => can(identityOf(shadow.at(-1)?.name ?? ''), 'get', 'kafka.strimzi.io', 'kafkas'));
}, 60_000);

afterAll(async () => {
  admin.close();
  await plane.stop();
});

/** What the API server says a user may do. */
async function can(user: string, verb: string, group: string, resource: string, name = '', namespace = 'any'): Promise<boolean> {
  const [plural = '', subresource = ''] = resource.split('/');
  const resourceAttributes = { verb, group, resource: plural, subresource, name, namespace };
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { user, resourceAttributes } };
  const { status } = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
  return status?.allowed === true;
}

/** The API server's authorizer learns of a role a moment after it was made. */
async function granted(ask: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await ask()); await delay(50)) if (Date.now() > deadline) throw new Error('not granted');
}

describe('generated RBAC, as the API server reads it', () => {
  it('lets every remediation do exactly what its definition names', async () => {
    for (const { name, rights } of remediations) {
      for (const right of rights) {
        const { group, resources, verbs, names = [''] } = right;
        const isGranted = grantsOf(right, {}).length > 0;
        for (const resource of resources) {
          for (const verb of ['get', 'list', 'create', 'update', 'patch', 'delete', 'deletecollection'] as const) {
            const named = rights.some(
              (other) =>
                grantsOf(other, {}).length > 0 &&
                other.group === group &&
                other.resources.includes(resource) &&
                (other.verbs as string[]).includes(verb),
            );
            const expected = (isGranted && (verbs as string[]).includes(verb)) || named;
            expect({ name, resource, verb, can: await can(identityOf(name), verb, group, resource, names[0]) }).toEqual({
              name,
              resource,
              verb,
              can: expected,
            });
          }
        }
      }
    }
  }, 60_000);

  it.each([
    ['another CRD', 'patch', 'apiextensions.k8s.io', 'customresourcedefinitions', 'kafkatopics.kafka.strimzi.io'],
    ['any Kafka', 'patch', 'kafka.strimzi.io', 'kafkas', 'my-cluster'],
    ['Secrets', 'get', '', 'secrets', 'my-cluster-cluster-ca'],
    ['exec', 'create', '', 'pods/exec', 'a'],
    ['its own rights', 'escalate', 'rbac.authorization.k8s.io', 'clusterroles', 'kubemend:strimzi:upgrade-stale-crds'],
  ])('refuses strimzi/upgrade-stale-crds %s', async (_, verb, group, resource, name) => {
    expect(await can(identityOf('strimzi/upgrade-stale-crds'), verb, group, resource, name)).toBe(false);
  });

  it('lets the exporter watch, and nothing else', async () => {
    expect(await can(identityOf('exporter'), 'watch', 'kafka.strimzi.io', 'kafkas')).toBe(true);
    for (const verb of ['get', 'create', 'update', 'patch', 'delete'])
      expect(await can(identityOf('exporter'), verb, 'kafka.strimzi.io', 'kafkas')).toBe(false);
    expect(await can(identityOf('exporter'), 'watch', 'apps', 'deployments')).toBe(false);
  });

  it('opens streams into the pods that were named, in their namespace, and into no other', async () => {
    const name = 'strimzi/delete-stale-migration-znode';
    const [remediation] = remediations.filter((one) => one.name === name);
    const pins = { 'zookeeper-pods': [{ namespace: 'any', name: 'my-cluster-zookeeper-0' }] };
    await admin.create('/api/v1/namespaces', { metadata: { name: 'any' } });
    const roles = remediationRbac(remediation as Remediation, { pins }).filter(({ metadata }) => metadata.namespace);
    for (const object of roles)
      await admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/any/${object.kind.toLowerCase()}s`, { ...object });
    await granted(() => can(identityOf(name), 'get', '', 'pods/portforward', 'my-cluster-zookeeper-0'));
    const asks = ['my-cluster-zookeeper-0', 'my-cluster-kafka-0', ''].map(async (pod) => [
      await can(identityOf(name), 'get', '', 'pods/portforward', pod),
      await can(identityOf(name), 'create', '', 'pods/portforward', pod),
      await can(identityOf(name), 'create', '', 'pods/exec', pod),
    ]);
    expect(await Promise.all(asks)).toEqual([
      [true, true, false],
      [false, false, false],
      [false, false, false],
    ]);
  });

  it('lets strimzi/resume-ca-roll touch the named pods, pod sets and Secrets of one cluster, if they are named, and no other', async () => {
    const name = 'strimzi/resume-ca-roll';
    const [remediation] = remediations.filter((one) => one.name === name);
    const as = { ...(remediation as Remediation), name: 'strimzi/pinned-ca-roll' };
    const named = (...names: string[]) => names.map((one) => ({ namespace: 'kafka', name: `my-cluster-${one}` }));
    const pins = { 'kafka-secrets': named('cluster-ca'), 'kafka-podsets': named('kafka'), 'kafka-pods': named('kafka-0', 'kafka-1') };
    await admin.create('/api/v1/namespaces', { metadata: { name: 'kafka' } });
    for (const object of remediationRbac(as, { pins })) {
      const { namespace } = object.metadata;
      const within = namespace ? `namespaces/${namespace}/` : '';
      await admin.create(`/apis/rbac.authorization.k8s.io/v1/${within}${object.kind.toLowerCase()}s`, { ...object });
    }
    const may = (verb: string, group: string, resource: string, object: string, namespace = 'kafka') =>
      can(identityOf(as.name), verb, group, resource, object, namespace);
    await granted(() => may('patch', '', 'pods', 'my-cluster-kafka-1'));
    expect(await may('patch', 'core.strimzi.io', 'strimzipodsets', 'my-cluster-kafka')).toBe(true);
    expect(await may('get', '', 'secrets', 'my-cluster-cluster-ca')).toBe(true);
    expect(await may('list', '', 'pods', '')).toBe(true);
    for (const [verb, group, resource, object, namespace] of [
      ['patch', '', 'pods', 'my-cluster-kafka-2'],
      ['patch', '', 'pods', 'my-cluster-kafka-1', 'default'],
      ['delete', '', 'pods', 'my-cluster-kafka-1'],
      ['patch', 'core.strimzi.io', 'strimzipodsets', 'other-kafka'],
      ['get', '', 'secrets', 'my-cluster-clients-ca'],
      ['list', '', 'secrets', ''],
      ['patch', '', 'secrets', 'my-cluster-cluster-ca'],
    ] as const)
      expect({ verb, object, may: await may(verb, group, resource, object, namespace) }).toEqual({ verb, object, may: false });
  });

  it('grants no remediation to read Secrets in all namespaces, whatever its mode', async () => {
    for (const { name } of remediations)
      for (const user of [identityOf(name), identityOf(`shadow/${name.replace('/', '-')}`)])
        for (const verb of ['get', 'list', 'watch'])
          expect({ user, verb, can: await can(user, verb, '', 'secrets', verb === 'get' ? 'my-cluster-cluster-ca' : '') }).toEqual({
            user,
            verb,
            can: false,
          });
  }, 60_000);

  it('grants in the namespaces that were named, and elsewhere only what has none or is read in all', async () => {
    await admin.create('/api/v1/namespaces', { metadata: { name: 'shop' } });
    for (const one of remediations) {
      const as = { ...one, name: `scoped/${one.name.replace('/', '-')}` };
      await install(admin, remediationRbac(as, { namespaces: ['shop'] }));
      await granted(() => can(identityOf(as.name), 'create', 'events.k8s.io', 'events', '', 'shop'));
      for (const right of as.rights.filter(({ pinned }) => pinned === undefined))
        for (const resource of right.resources)
          for (const verb of right.verbs) {
            const asked = [identityOf(as.name), verb, right.group, resource, right.names?.[0] ?? ''] as const;
            const elsewhere = as.rights.some(
              (other) =>
                other.scope === 'cluster' &&
                other.group === right.group &&
                other.resources.includes(resource) &&
                other.verbs.includes(verb),
            );
            expect({ asked, shop: await can(...asked, 'shop'), other: await can(...asked, 'other') }).toEqual({
              asked,
              shop: true,
              other: elsewhere,
            });
          }
    }
    const reading = remediations.flatMap(({ rights }) => rights).filter(({ scope, names }) => scope === 'cluster' && !names);
    expect(reading.flatMap(({ verbs }) => verbs).filter((verb) => !['get', 'list'].includes(verb))).toEqual([]);
  }, 60_000);

  it('leaves no right to write in shadow mode', async () => {
    for (const { name, rights } of remediations) {
      const shadow = identityOf(`shadow/${name.replace('/', '-')}`);
      for (const { group, resources, names = [''] } of rights) {
        for (const verb of ['create', 'update', 'patch', 'delete'])
          expect(await can(shadow, verb, group, resources[0] ?? '', names[0])).toBe(false);
      }
    }
  }, 60_000);
});
