import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { parseAllDocuments } from 'yaml';
import type { Finding } from '../bin/doctor/finding.ts';
import { Admin, type Doc } from './control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from './control-plane/control-plane.ts';
import { findHelm } from './control-plane/helm-binary.ts';
import { freePort } from './control-plane/port.ts';

/** The container image without a container: its bundle, entry point, ServiceAccount and chart, beside a real API server that posts its audit. */
const ROOT = join(import.meta.dirname, '..');
const CHART = join(ROOT, 'infra/kubernetes/chart');
const run = promisify(execFile);
const NODE = { env: { PATH: process.env.PATH ?? '' } };
let folder: string;
let plane: ControlPlane;
let admin: Admin;
let ports: { audit: number; probes: number };
let exporter: { child: ChildProcess; out: string; err: string };
let started: string[];
let heart: NodeJS.Timeout;

/** Another program in no image: what it needs is in the folder beside it. */
function start(): typeof exporter {
  const { hostname, port } = new URL(plane.server);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, KUBEMEND_SERVICE_ACCOUNT: join(folder, 'account') };
  const permissions = ['--permission', '--allow-fs-read=*', `--allow-fs-write=${folder}/data`]; // a read-only root file system
  const child = spawn(process.execPath, [...permissions, ...started], {
    cwd: join(folder, 'empty'),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = { child, out: '', err: '' };
  child.stdout?.on('data', (chunk) => (running.out += chunk));
  child.stderr?.on('data', (chunk) => (running.err += chunk));
  return running;
}

const probe = (path: string) =>
  fetch(`http://127.0.0.1:${ports.probes}${path}`).then(
    async (answer) => ({ status: answer.status, text: await answer.text() }),
    () => ({ status: 0, text: '' }),
  );

async function until(holds: () => boolean | Promise<boolean>, deadline = Date.now() + 30_000): Promise<void> {
  while (!(await holds())) {
    if (Date.now() > deadline || exporter.child.exitCode !== null)
      throw new Error(`It did not come. ${(await probe('/status')).text}\n${exporter.out.slice(-500)}\n${exporter.err.slice(-2_000)}`);
    await delay(50);
  }
}

async function doctor(...args: string[]): Promise<{ code: number; findings: Finding[] }> {
  const env = { ...NODE.env, KUBECONFIG: join(folder, 'nowhere') };
  const all = [join(ROOT, 'bin/kubemend.ts'), 'doctor', '--json', '--url', `http://127.0.0.1:${ports.probes}/metrics`, ...args];
  const { stdout, code } = await run(process.execPath, all, { env }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
}

const secrets = '/api/v1/namespaces/default/secrets';
/** A Helm release as helm-operator writes it: a rule of kubero/slow-release-storm names it. */
const release = (version: number) =>
  admin.create(`${secrets}?fieldManager=helm-operator`, {
    metadata: { name: `sh.helm.release.v1.demo.v${version}`, labels: { owner: 'helm', name: 'demo', version: `${version}` } },
    stringData: { release: 'not-to-be-seen' },
  });

/** As the controller manager renews its Lease: with the chart's policy this alone must keep audit flowing. */
async function beat(): Promise<void> {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager';
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec: { renewTime: new Date().toISOString().replace('Z', '000Z') } };
  await admin.patch(`${path}?fieldManager=test&force=true`, 'apply', lease);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-exporter-'));
  for (const name of ['account', 'empty', 'data']) await mkdir(join(folder, name));
  ports = { audit: await freePort(), probes: await freePort() };
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'exporter' }], {
    ...{ keyType: 'ec', algorithm: 'sha256' },
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'kubemend-exporter-audit.default.svc' }] },
    ],
  });
  for (const [name, text] of Object.entries({ 'tls.crt': cert, 'tls.key': key, token: 'a-token' }))
    await writeFile(join(folder, name), text);
  await run(process.execPath, [join(ROOT, 'bin/build-exporter.mjs'), '--out', join(folder, 'dist')], NODE);
  const objects = await rendered();
  const find = (kind: string): Doc => objects.find((object) => object.kind === kind) as Doc;
  const { data } = find('ConfigMap') as unknown as { data: Record<string, string> };
  const config = (data['audit-webhook.kubeconfig'] ?? '')
    .replace('/etc/kubernetes/kubemend/ca.crt', join(folder, 'tls.crt'))
    .replace('/etc/kubernetes/kubemend/token', join(folder, 'token'));
  await writeFile(join(folder, 'audit.kubeconfig'), config);
  plane = await startControlPlane({
    flags: [
      `--audit-policy-file=${join(CHART, 'files/audit-policy.yaml')}`,
      `--audit-webhook-config-file=${join(folder, 'audit.kubeconfig')}`,
      ...['--audit-webhook-batch-max-wait=100ms', '--audit-webhook-initial-backoff=1s'],
    ],
  });
  admin = new Admin(plane.connection('admin', 'test'));
  for (const kind of ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding']) {
    const group = kind === 'ServiceAccount' ? '/api/v1/namespaces/default' : '/apis/rbac.authorization.k8s.io/v1';
    await admin.create(`${group}/${kind.toLowerCase()}s`, find(kind));
  }
  await writeFile(join(folder, 'account/token'), await admin.serviceAccountToken('default', 'kubemend-exporter'));
  await writeFile(join(folder, 'account/ca.crt'), plane.ca);
  started = commandOf(await readFile(join(ROOT, 'Dockerfile'), 'utf8'), find('StatefulSet'));
  heart = setInterval(() => void beat().catch(() => {}), 250);
  exporter = start();
}, 120_000);

afterAll(async () => {
  clearInterval(heart);
  exporter?.child.kill('SIGKILL');
  admin?.close();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

async function rendered(): Promise<Doc[]> {
  const values = {
    ...{
      cluster: 'test',
      'bus.name': 'b',
      'bus.region': 'r',
      'image.repository': 'r',
      metricsPort: ports.probes,
      'audit.silenceSeconds': 5,
    },
    ...{
      'audit.webhook.enabled': true,
      'audit.webhook.tlsSecret': 't',
      'audit.webhook.tokenSecret': 't',
      'audit.webhook.port': ports.audit,
    },
    'audit.webhook.address': `127.0.0.1:${ports.audit}`,
  };
  const set = Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const { stdout } = await run(await findHelm(), ['template', 'kubemend', CHART, '--namespace', 'default', ...set], {
    env: { HOME: folder },
  });
  return parseAllDocuments(stdout).flatMap((document) => (document.toJS() as Doc | null) ?? []);
}

/** What the image's ENTRYPOINT and the chart's arguments make, with the paths of this machine; the facts are printed, because there is no bus. */
function commandOf(dockerfile: string, set: Doc): string[] {
  const [, ...program] = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
  const { spec } = (set.spec as { template: { spec: { containers: { args: string[] }[] } } }).template;
  const args = spec.containers[0]?.args.filter((arg) => !/^--(bus|region)=/.test(arg)) ?? [];
  const here: [string, string][] = [
    ['/app/', join(folder, 'dist/')],
    ['=/var/lib/kubemend', `=${join(folder, 'data')}`],
    ['=/etc/kubemend/tls/', `=${folder}/`],
    ['=/etc/kubemend/token/', `=${folder}/`],
  ];
  return [...program, ...args, '--print'].map((word) => here.reduce((text, [from, to]) => text.replace(from, to), word));
}

describe('the exporter as its image and chart start it', () => {
  it('is healthy, and ready once everything it may see is seen', async () => {
    await until(async () => (await probe('/readyz')).status === 200);
    expect((await probe('/healthz')).status).toBe(200);
  }, 60_000);

  it('prints a fact that a rule asked for, with nothing of a Secret but what the rule names', async () => {
    await release(2);
    await until(() => exporter.out.includes('\n'));
    const fact = JSON.parse(exporter.out.split('\n')[0] ?? '') as object;
    expect(fact).toMatchObject({
      ...{ source: 'kubernetes', 'detail-type': 'Object Changed' },
      detail: { cluster: 'test', change: 'added', object: { resource: 'secrets', name: 'sh.helm.release.v1.demo.v2' } },
    });
    expect(exporter.out).not.toContain(Buffer.from('not-to-be-seen').toString('base64'));
  }, 60_000);

  it('receives the audit of the API server by the chart’s policy and kubeconfig; the heartbeat alone keeps it flowing', async () => {
    await admin.create('/api/v1/namespaces/default/configmaps', { metadata: { name: 'of-no-interest' } });
    await until(async () => (await probe('/metrics')).text.includes('kubemend_exporter_lag_seconds{source="audit-webhook"}'));
    await until(async () => (await probe('/readyz')).status === 200);
    expect((await readFile(plane.auditLog, 'utf8')).match(/"resource":"(configmaps|leases)"/g)).not.toContain('"resource":"configmaps"');
    const { code, findings } = await doctor();
    expect({ code, wrong: findings.filter(({ result }) => result === 'wrong') }).toEqual({ code: 0, wrong: [] });
    expect(findings.map(({ check }) => check)).toEqual([
      'exporter',
      'watch',
      'audit',
      'last event',
      'gaps',
      'spool',
      'sending',
      'clock of the exporter',
    ]);
  }, 60_000);

  it('is blind when audit stops, stays healthy, and doctor says what to do', async () => {
    clearInterval(heart);
    await until(async () => (await probe('/readyz')).status === 503);
    expect((await probe('/healthz')).status).toBe(200);
    const { code, findings } = await doctor();
    expect(code).toBe(1);
    expect(findings.filter(({ result }) => result === 'wrong')).toEqual([
      {
        ...{ check: 'audit', result: 'wrong', says: expect.stringMatching(/^No audit event came for \d+ s from audit-webhook$/) },
        fix: 'check --audit-webhook-config-file of the API server, and that it reaches this port',
      },
    ]);
  }, 60_000);

  it('ends at once on SIGTERM, and its successor takes up the data folder', async () => {
    exporter.child.kill('SIGTERM');
    const [code, signal] = await once(exporter.child, 'exit');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    await release(3);
    exporter = start();
    await until(() => exporter.out.includes('demo.v3'));
    expect(exporter.out).not.toContain('demo.v2"');
  }, 60_000);
});
