import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it } from '@jest/globals';
import { readKubeconfig } from '../../bin/kubeconfig.ts';
import { kubeconfigOf, openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import { Admin } from '../control-plane/admin.ts';
import { readAuditLog } from '../control-plane/audit-log.ts';
import { MARKER, markersIn } from '../markers.ts';
import { startRecordingProxy } from '../recording-proxy.ts';

let sandbox: Sandbox;
afterEach(() => sandbox?.close());

const FAST = { confirmAfter: '1s', stableFor: '1s' } as const;

/** Runs the command line as people do. */
async function kubemend(args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../bin/kubemend.ts'), ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

/** A replay has a kubeconfig that may do everything, at its usual place, and asks the cluster nothing. */
async function replayedBesideTheCluster(remediation: string, bundle: string): Promise<void> {
  const { connection } = await readKubeconfig(await sandbox.writeKubeconfig(), undefined);
  const proxy = await startRecordingProxy({ server: connection.server, ca: connection.ca ?? '' });
  const KUBECONFIG = join(sandbox.directory, 'through-proxy.yaml');
  await writeFile(KUBECONFIG, kubeconfigOf(proxy.server, proxy.ca, (await connection.token?.()) ?? ''), { mode: 0o600 });
  const logged = async () => (await readAuditLog(sandbox.auditLog)).filter(({ userAgent }) => userAgent === connection.userAgent);
  try {
    for (const directory of [bundle, join(import.meta.dirname, '../incidents/kubero-copy-storm')]) {
      const { code, out, err } = await kubemend(['replay', directory, '--json', '--state', sandbox.directory], { KUBECONFIG });
      expect({ code, err, incidents: (JSON.parse(out) as { incidents: object[] }).incidents }).toEqual({
        ...{ code: 0, err: '' },
        incidents: expect.arrayContaining([expect.objectContaining({ remediation })]),
      });
    }
    // The same way does reach the cluster, and what comes by it is logged.
    const control = new Admin((await readKubeconfig(KUBECONFIG, undefined)).connection);
    await control.create('/api/v1/namespaces/default/configmaps', { metadata: { name: 'control' } });
    control.close();
    expect(proxy.requests.map(({ method }) => method)).toEqual(['POST']);
    for (const deadline = Date.now() + 10_000; (await logged()).length === 0 && Date.now() < deadline; ) await delay(50);
    expect((await logged()).map(({ verb, objectRef }) => [verb, objectRef?.resource])).toEqual([['create', 'configmaps']]);
  } finally {
    await proxy.stop();
  }
}

/** Every file below a folder as text, unpacked. */
const textsIn = (folder: string): [string, string][] =>
  readdirSync(folder).map((file) => {
    const bytes = readFileSync(join(folder, file));
    return [file, (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')];
  });

it.each([
  ['kubero-registry-copy', 'kubero/slow-release-storm'],
  ['strimzi-ca-roll', 'strimzi/resume-ca-roll'],
  ['strimzi-stale-znode', 'strimzi/delete-stale-migration-znode'],
  ['strimzi-stale-crds', 'strimzi/upgrade-stale-crds'],
  ['kubeblocks-last-pod-online', 'kubeblocks/unstick-opsrequest'],
])(
  '%s, recorded on a real API server, is captured without a credential and replays to the same verdict',
  async (scenario, remediation) => {
    sandbox = await openSandbox({
      ...{ scenario, mode: 'shadow', record: true, limits: { [remediation]: FAST } },
      progress: () => undefined,
      onProblem: () => undefined,
    });
    let id: string | undefined;
    for await (const change of sandbox.changes(150_000)) {
      if (change.remediation !== remediation || change.state !== 'shadowed') continue;
      id = change.incident;
      break;
    }
    expect(id).toBeDefined();
    const pipelines =
      scenario === 'kubero-registry-copy' ? await sandbox.admin.list('/apis/application.kubero.dev/v1alpha1/kuberopipelines') : [];
    if (pipelines.length > 0) expect(JSON.stringify(pipelines)).toContain(MARKER);

    const to = join(sandbox.directory, 'bundle');
    const { code, out, err } = await kubemend(['capture', id ?? '', '--state', sandbox.directory, '--to', to, '--json']);
    expect({ code, err, ...(JSON.parse(out || '{}') as object) }).toMatchObject({
      code: 0,
      err: '',
      same: true,
      verdict: expect.stringMatching(/^fix: /),
    });

    for (const folder of [to, join(sandbox.directory, 'recording')]) {
      const texts = textsIn(folder);
      expect(texts.map(([, text]) => text.length).reduce((a, b) => a + b)).toBeGreaterThan(1_000);
      for (const [file, text] of texts) expect({ file, markers: markersIn(text) }).toEqual({ file, markers: [] });
    }
    if (scenario === 'kubero-registry-copy') await replayedBesideTheCluster(remediation, to);
  },
  200_000,
);
