import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Admin } from '../../control-plane/admin.ts';
import { readAuditLog } from '../../control-plane/audit-log.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/control-plane.ts';
import type { AuditLine } from '../scenario.ts';
import { newestVersion, operatorConnection, PIPELINE, type SeedOptions, seedKubero } from './cluster.ts';
import { FakeHelmOperator } from './operator.ts';

const PERIOD = 'helm.sdk.operatorframework.io/reconcile-period';
const USER = 'system:serviceaccount:kubero-operator-system:kubero-operator-controller-manager';
const RELEASES = '/api/v1/namespaces/kubero/secrets';
const OPERATOR = 'helm-operator/v0.0.0 (linux/amd64) kubernetes/$Format';
const WRITES = ['create', 'update', 'patch', 'delete'];

let plane: ControlPlane;
let admin: Admin;
let operator: FakeHelmOperator;

beforeEach(async () => {
  plane = await startControlPlane();
  admin = new Admin(plane.connection('admin', 'test/1.0'));
}, 600_000);

afterEach(async () => {
  await operator?.stop();
  admin.close();
  await plane.stop();
});

async function start(seed: SeedOptions): Promise<void> {
  await seedKubero(admin, seed);
  operator = new FakeHelmOperator({ connection: await operatorConnection(admin, plane.connection('admin', '')) });
  operator.start();
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when the release has this version and the operator is through with it: what is set earlier would end in a conflict, and be tried again. */
async function reaches(version: number, within = 30_000): Promise<void> {
  const deadline = Date.now() + within;
  while ((await newestVersion(admin)) < version) {
    if (Date.now() > deadline) throw new Error(`The release never had version ${version}: ${operator.lastError}`);
    await pause(50);
  }
  while (operator.busy) await pause(10);
}

const setPeriod = (period: string) => admin.patch(PIPELINE, 'merge', { metadata: { annotations: { [PERIOD]: period } } });
const byOperator = async () => (await readAuditLog(plane.auditLog)).filter(({ user }) => user.username === USER);
const created = (line: AuditLine) => line.verb === 'create' && line.requestURI.startsWith(RELEASES);

describe('the helm-operator that fails as the real one does', () => {
  it('upgrades at every reconciliation with the requests that were measured', async () => {
    await start({ period: '1s' });
    await reaches(6);
    await operator.stop();
    const log = await byOperator();
    const [from, to] = log.flatMap((line, index) => (created(line) ? [index] : [])).slice(-3, -1);
    const upgrade = log.slice(from, to).filter(({ verb }) => WRITES.includes(verb));
    const lines = upgrade.map(({ verb, objectRef, userAgent, responseStatus }) => {
      const name = objectRef?.resource === 'secrets' ? 'release' : `${objectRef?.resource}/${objectRef?.subresource}`;
      return [verb, name, responseStatus?.code, userAgent];
    });
    expect(lines).toEqual([
      ['create', 'release', 201, OPERATOR],
      ['update', 'release', 200, OPERATOR],
      ['update', 'release', 200, OPERATOR],
      ['update', 'kuberopipelines/status', 200, OPERATOR],
      ['delete', 'release', 200, OPERATOR],
    ]);
    const chart = log.filter(({ userAgent }) => userAgent === 'Go-http-client/2.0');
    const writes = chart.filter(({ verb }) => WRITES.includes(verb));
    expect(writes.map(({ verb }) => verb)).toEqual(['create', 'create', 'create', 'create']);
    expect(writes.every(({ requestURI }) => requestURI.endsWith('?fieldManager=helm-operator'))).toBe(true);
    expect((await admin.get(PIPELINE)).metadata.generation).toBe(1);
  }, 60_000);

  it('installs with a burst of three versions, and upgrades only twice more after the annotation', async () => {
    await start({ period: '4s' });
    await reaches(3);
    await pause(1_000);
    expect(await newestVersion(admin)).toBe(3);
    await reaches(4);
    await setPeriod('1h');
    await reaches(6);
    await pause(6_000);
    expect(await newestVersion(admin)).toBe(6);
  }, 60_000);

  it('stops reconciling at a duration that is none, and no condition shows it', async () => {
    await start({ period: '1s' });
    await reaches(4);
    await setPeriod('1day');
    await pause(1_000);
    const version = await newestVersion(admin);
    await pause(2_500);
    expect(await newestVersion(admin)).toBe(version);
    expect((await admin.get(PIPELINE)).status?.conditions).toEqual([expect.objectContaining({ type: 'Deployed', status: 'True' })]);
    expect(operator.lastError).toContain('unknown unit');
  }, 60_000);

  it('upgrades no more once it is switched to create', async () => {
    await start({ period: '1s' });
    await reaches(4);
    await admin.patch(PIPELINE, 'merge', { spec: { registry: { createSecret: 'create' } } });
    await pause(1_500);
    const version = await newestVersion(admin);
    await pause(2_500);
    expect(await newestVersion(admin)).toBe(version);
  }, 60_000);
});
