import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import type { IncidentChanged } from '../../events/incident-changed.ts';
import { liveValues } from '../../shared/evidence.ts';
import type { Incident } from '../../shared/incident.ts';
import type { Connection } from '../../shared/kubernetes/transport.ts';
import type { Limits } from '../../shared/remediation.ts';
import { Admin } from '../control-plane/admin.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import { MARKER, newestVersion, operatorConnection, PIPELINE, seedKubero } from '../scenarios/kubero/cluster.ts';
import { FakeHelmOperator, type OperatorOptions } from '../scenarios/kubero/operator.ts';
import { scenario as registryCopy } from '../scenarios/kubero-registry-copy.ts';
import type { Scenario } from '../scenarios/scenario.ts';

const NAME = 'kubero/slow-release-storm';
const PERIOD = 'helm.sdk.operatorframework.io/reconcile-period';
const LOGIN = '/api/v1/namespaces/kubero/secrets/registry-login';
const FAST: Partial<Limits> = { confirmAfter: '500ms', stableFor: '2s', verifyWithin: '60s' };
const problems: string[] = [];
const told: IncidentChanged[] = [];
let sandbox: Sandbox;

type Options = Parameters<typeof openSandbox>[0];

async function play(mode: string, scenario: Scenario = registryCopy, checkpoint?: Options['checkpoint']): Promise<void> {
  problems.length = 0;
  told.length = 0;
  sandbox = await openSandbox({
    ...{ scenario, mode, progress: () => undefined, onProblem: (problem) => problems.push(problem), limits: { [NAME]: FAST } },
    ...(checkpoint && { checkpoint }),
  });
}

/** The same installation with another operator, and with what happens to it. */
const variant = (options: Partial<OperatorOptions>, then: Scenario['start'] | undefined = undefined): Scenario => ({
  ...registryCopy,
  async start(cluster) {
    await seedKubero(cluster.admin, { period: '6s' });
    const operator = new FakeHelmOperator({ connection: await operatorConnection(cluster.admin, cluster.connection), ...options });
    operator.start();
    await then?.(cluster);
    return operator;
  },
});

/** Follows what is told until an incident is in one of the states. */
async function until(...states: string[]): Promise<Incident> {
  for await (const change of sandbox.changes(120_000)) {
    told.push(change);
    if (states.includes(change.state)) return (await sandbox.state.load(change.incident)) as Incident;
  }
  const lines = told.map(({ state, because }) => `${state}: ${because}`);
  throw new Error(`No incident became ${states.join(' or ')}. Told: ${lines.join('; ') || 'nothing'}. Problems: ${problems.join('; ')}`);
}

const ownWrites = async (dryRuns = false) => writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:', { dryRuns });

/** Everything kubemend keeps on disk: the database with its log, backups. */
async function stored(): Promise<string> {
  const directory = dirname(await sandbox.writeKubeconfig());
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return (await Promise.all(files.map(contentOf))).join('\n');
}

async function contentOf(path: string): Promise<string> {
  const bytes = await readFile(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
}

afterEach(() => sandbox?.close());

describe('the release storm of kubero#420, on a real API server', () => {
  it('is found, slowed down by one annotation that was there already, and verified; no credential is kept or told', async () => {
    await play('auto');
    const verified = await until('verified');
    expect(await ownWrites()).toEqual([
      expect.objectContaining({
        verb: 'patch',
        user: expect.objectContaining({ username: 'kubemend:kubero:slow-release-storm' }),
        requestURI: `${PIPELINE}?fieldManager=kubemend&timeout=15s`,
        responseStatus: expect.objectContaining({ code: 200 }),
      }),
    ]);
    const { metadata, spec } = await sandbox.admin.get(PIPELINE);
    expect(metadata).toMatchObject({ annotations: { [PERIOD]: '1h' }, generation: 1 });
    expect(spec?.registry).toMatchObject({ createSecret: 'copy', password: `${MARKER}PASSWORD` });
    expect(liveValues(verified.plan?.evidence ?? {})).toEqual({ operator: '0.2.1', registry: 'copy', period: '6s', generation: 1 });

    const { appliedAt = 0 } = verified.verification ?? {};
    const log = await readAuditLog(sandbox.auditLog);
    const since = log.filter((line) => registryCopy.isSymptom(line) && Date.parse(line.stageTimestamp) > appliedAt);
    expect(since.length).toBeGreaterThanOrEqual(1);
    expect(since.length).toBeLessThanOrEqual(2);

    // In the database's log, in the backup, and told: none of the credentials that the pipeline and its Secrets are full of.
    const kept = await stored();
    expect([verified.id, `"${PERIOD}":"6s"`].filter((text) => !kept.includes(text))).toEqual([]);
    const markers = [MARKER, 'aHVudGVyMi', 'h1bnRlcjIt', 'odW50ZXIyL'];
    expect(markers.filter((marker) => `${kept}${JSON.stringify([told, problems])}`.includes(marker))).toEqual([]);
    expect(JSON.stringify(await sandbox.admin.list('/api/v1/secrets'))).toContain('aHVudGVyMi');
    const planned = verified.history.find(({ state }) => state === 'planned');
    expect(planned?.verdict).toMatchObject({
      kind: 'fix',
      advice: [expect.stringContaining('createSecret: create'), expect.anything(), expect.anything()],
    });
    expect(problems).toEqual([]);
  }, 150_000);

  it('is only planned in shadow mode: no write request at all, not even a dry run', async () => {
    await play('shadow');
    await until('shadowed');
    expect(await ownWrites(true)).toEqual([]);
  }, 150_000);

  it('ends ineffective at the third revision when the operator does not keep to the annotation', async () => {
    await play('auto', variant({ stubborn: true, period: 6_000 }));
    const ended = await until('ineffective', 'verified');
    expect({ state: ended.state, because: ended.because }).toEqual({
      state: 'ineffective',
      because: expect.stringContaining('third revision'),
    });
    expect(await ownWrites()).toHaveLength(1);
  }, 150_000);

  it('writes nothing when somebody switches to create after it was confirmed', async () => {
    let switched = false;
    await play('auto', registryCopy, async (point, effect) => {
      if (point !== 'before' || effect.kind !== 'prepare' || switched) return;
      switched = true;
      await sandbox.admin.patch(PIPELINE, 'merge', { spec: { registry: { createSecret: 'create' } } });
    });
    const resolved = await until('resolved', 'applied', 'verified');
    expect({ state: resolved.state, because: resolved.because }).toEqual({
      state: 'resolved',
      because: expect.stringContaining('no credentials'),
    });
    expect(await ownWrites()).toEqual([]);
  }, 150_000);

  it('reports the error loop of a deleted registry-login as what it is, and never slows it down', async () => {
    const scenario = variant({}, async ({ admin }) => {
      while ((await newestVersion(admin)) < 3) await new Promise((resolve) => setTimeout(resolve, 100));
      await admin.delete(LOGIN);
      return { stop: async () => undefined };
    });
    await play('auto', scenario);
    const reported = await until('reported', 'planned');
    expect({ state: reported.state, because: reported.because }).toEqual({
      state: 'reported',
      because: expect.stringContaining('an upgrade and a rollback'),
    });
    expect(await newestVersion(sandbox.admin)).toBeGreaterThan(10);
    expect(await ownWrites(true)).toEqual([]);
  }, 180_000);

  it('reports revisions that a tenant created, who may create Secrets and nothing else, and writes nothing', async () => {
    const tenantOnly: Scenario = {
      ...registryCopy,
      async start({ admin, connection }) {
        await seedKubero(admin, { period: '6s' });
        const tenant = new Admin(await tenantConnection(admin, connection));
        const creating = createRevisions(tenant, 5_000);
        return { stop: () => creating.finally(() => tenant.close()) };
      },
    };
    await play('auto', tenantOnly);
    const reported = await until('reported', 'planned');
    expect({ state: reported.state, because: reported.because }).toEqual({
      state: 'reported',
      because: expect.stringContaining(
        'kubemend does not write, because the status of the pipeline does not say that a release is deployed',
      ),
    });
    expect(await newestVersion(sandbox.admin)).toBeGreaterThanOrEqual(44);
    expect(await ownWrites(true)).toEqual([]);
  }, 180_000);
});

/** Someone who may create Secrets in the namespace of the pipeline, and nothing else. */
async function tenantConnection(admin: Admin, connection: Connection): Promise<Connection> {
  const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/kubero';
  await admin.create('/api/v1/namespaces/kubero/serviceaccounts', { metadata: { name: 'tenant' } });
  await admin.create(`${RBAC}/roles`, {
    metadata: { name: 'tenant' },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['create'] }],
  });
  await admin.create(`${RBAC}/rolebindings`, {
    metadata: { name: 'tenant' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'tenant' },
    subjects: [{ kind: 'ServiceAccount', name: 'tenant', namespace: 'kubero' }],
  });
  const token = await admin.serviceAccountToken('kubero', 'tenant');
  return { ...connection, token: async () => token };
}

/** Creates empty Secrets that look like the revisions 41 to 44 of checkout, in the rhythm of a storm, milliseconds. */
async function createRevisions(tenant: Admin, rhythm: number): Promise<void> {
  for (const version of [41, 42, 43, 44]) {
    await tenant.create('/api/v1/namespaces/kubero/secrets?fieldManager=helm-operator', {
      ...{ type: 'helm.sh/release.v1', data: { release: '' } },
      metadata: {
        name: `sh.helm.release.v1.checkout.v${version}`,
        labels: { owner: 'helm', name: 'checkout', version: `${version}`, status: 'deployed' },
      },
    });
    await new Promise((resolve) => setTimeout(resolve, rhythm));
  }
}
