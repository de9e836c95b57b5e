import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resolve } from '../../events/exporter/watch/discovery.ts';
import { identityOf, remediationRbac } from '../../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { Transport } from '../../shared/kubernetes/transport.ts';
import type { Remediation } from '../../shared/remediation.ts';
import { Admin } from '../../test/control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../../test/control-plane/control-plane.ts';
import { startRecordingProxy } from '../../test/recording-proxy.ts';
import { clusterFindings } from './cluster-checks.ts';

const NAME = 'strimzi/upgrade-stale-crds';
const PINNED = 'strimzi/delete-stale-migration-znode';
let plane: ControlPlane;
let admin: Admin;
let remediations: Remediation[];

beforeAll(async () => {
  plane = await startControlPlane({ users: [{ name: 'nobody' }] });
  admin = new Admin(plane.connection('admin', 'test'));
  remediations = (await loadRemediations()).filter(({ name }) => [NAME, PINNED].includes(name));
  for (const object of remediations.flatMap((one) => remediationRbac(one)))
    await admin.create(`/apis/rbac.authorization.k8s.io/v1/${object.kind.toLowerCase()}s`, { ...object });
}, 60_000);
afterAll(async () => {
  admin?.close();
  await plane?.stop();
}, 20_000);

const wanted = (asOwn: boolean) => remediations.map((one) => ({ ...one, ...(asOwn && { as: identityOf(one.name) }) }));
const ask = (user: string, asOwn: boolean, ahead = 0) =>
  clusterFindings(plane.connection(user, 'test'), wanted(asOwn), () => Date.now() + ahead);

describe('doctor, asking a cluster', () => {
  it('finds every identity with its rights, and says which it could not ask about', async () => {
    expect(await ask('admin', true)).toEqual([
      { check: 'API server', result: 'fine', says: expect.stringMatching(/runs v1\./) },
      { check: 'clock of the API server', result: 'fine', says: expect.anything() },
      {
        check: `rights of ${PINNED}`,
        result: 'fine',
        says: expect.stringContaining('on named Pods and Secrets only were not asked about'),
      },
      { check: `rights of ${NAME}`, result: 'fine', says: expect.stringMatching(/^\d+ asked, all granted$/) },
    ]);
  });

  it('finds exactly the right that is missing, and where to get it', async () => {
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${identityOf(NAME)}`;
    const { rules } = (await admin.get(path)) as unknown as { rules: { verbs: string[] }[] };
    const without = rules.map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== 'patch') }));
    await admin.patch(path, 'merge', { rules: without });
    const lacking = {
      check: `rights of ${NAME}`,
      result: 'wrong',
      says: 'It lacks patch customresourcedefinitions.apiextensions.k8s.io "kafkas.kafka.strimzi.io"',
    };
    // The API server learns of changed roles a moment later.
    for (const deadline = Date.now() + 20_000; ; ) {
      const found = (await ask('admin', true)).at(-1);
      if (found?.result !== 'wrong' && Date.now() < deadline) continue;
      expect(found).toEqual({ ...lacking, fix: expect.stringContaining('kubemend rights') });
      break;
    }
    await admin.patch(path, 'merge', { rules });
  }, 30_000);

  it('reaches an API server below the path of its URL, as do discovery and watches', async () => {
    const proxy = await startRecordingProxy(plane, '/k8s/clusters/c-1');
    const connection = { ...plane.connection('admin', 'test'), server: proxy.server, ca: proxy.ca };
    const found = await clusterFindings(connection, wanted(true), Date.now);
    expect(found.map(({ result }) => result)).toEqual(['fine', 'fine', 'fine', 'fine']);
    const transport = new Transport(connection);
    const { signal } = new AbortController();
    const served = await resolve((path, ending, accept) => transport.open(path, ending, accept), '', 'namespaces', signal);
    expect(served).toMatchObject({ path: '/api/v1/namespaces', kind: 'Namespace' });
    const { status, body } = await transport.open(`${served?.path}?watch=1`, signal);
    body.destroy();
    transport.close();
    await proxy.stop();
    expect({ status, elsewhere: proxy.requests.filter(({ path }) => !path.startsWith('/k8s/clusters/c-1/')) }).toEqual({
      status: 200,
      elsewhere: [],
    });
    expect(proxy.requests.length).toBeGreaterThan(5);
  });

  it('asks as the kubeconfig’s own user unless told otherwise', async () => {
    const results = (await ask('nobody', false)).map(({ result }) => result);
    expect(results).toEqual(['fine', 'fine', 'wrong', 'wrong']);
  });

  it('calls unknown what it may not ask: impersonation is a right, too', async () => {
    const [, , ...rights] = await ask('nobody', true);
    for (const found of rights)
      expect(found).toMatchObject({
        result: 'unknown',
        says: expect.stringContaining('impersonate'),
        fix: expect.stringContaining('--as-functions'),
      });
  });

  it.each([
    [20_000, 'behind'],
    [-20_000, 'ahead of'],
  ])('finds a clock that is %i ms off', async (off, how) => {
    const [, clock] = await ask('admin', true, off);
    expect(clock).toMatchObject({ result: 'wrong', says: expect.stringMatching(new RegExp(`it is (19|20|18)\\.\\d s ${how} ours`)) });
  });

  it('finds an API server that is not there, or does not know us', async () => {
    const connection = plane.connection('admin', 'test');
    expect(await clusterFindings({ ...connection, server: 'https://127.0.0.1:1' }, [], Date.now)).toMatchObject([{ result: 'wrong' }]);
    const stranger = await clusterFindings({ ...connection, token: async () => 'wrong' }, [], Date.now);
    expect(stranger).toMatchObject([{ result: 'wrong', fix: 'renew the credentials of the kubeconfig' }]);
  });
});
