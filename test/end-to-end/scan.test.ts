import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { kubeconfigOf } from '../../bin/sandbox.ts';
import { Admin } from '../control-plane/admin.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import { startControlPlane } from '../control-plane/control-plane.ts';
import { installKubeBlocks, kafkaCluster, pathsOf, scaleBroker } from '../scenarios/kubeblocks/cluster.ts';
import { FakeKubeBlocks } from '../scenarios/kubeblocks/controller.ts';
import { takeLastBrokerOffline } from '../scenarios/kubeblocks-last-pod-online.ts';
import { seedKubero } from '../scenarios/kubero/cluster.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { operatorConnection, readCrds, seedStaleCrds } from '../scenarios/strimzi/cluster.ts';
import { FakeStrimziOperator } from '../scenarios/strimzi/operator.ts';
import { scenario as caRoll } from '../scenarios/strimzi-ca-roll.ts';
import { scenario as staleZnode } from '../scenarios/strimzi-stale-znode.ts';

const ROOT = join(import.meta.dirname, '../..');
const KAFKA = '/apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkas/my-cluster';
const undo: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const action of undo.splice(0).reverse()) await action();
});

interface Scanned {
  code: number | null;
  findings: {
    remediation: string;
    object: { name: string };
    because: string;
    cause: { issue: string };
    wayOut: { steps: object[]; advice: string[] };
  }[];
  undecided: { because: string }[];
  doubts: { about: string; because: string }[];
  err: string;
}

/** A control plane that holds something, and `kubemend scan` on it as a person runs it. */
async function clusterWith(start: (cluster: Parameters<Scenario['start']>[0]) => Promise<{ stop(): Promise<void> }>, kubelet = false) {
  const plane = await startControlPlane({ users: [{ name: 'nobody' }], ...(kubelet && { kubelet: true }) });
  undo.push(() => plane.stop());
  const admin = new Admin(plane.connection('admin', 'test'));
  undo.push(() => admin.close());
  const directory = await mkdtemp(join(tmpdir(), 'kubemend-scan-'));
  undo.push(() => rm(directory, { recursive: true, force: true }));
  const running = await start({
    admin,
    connection: plane.connection('admin', 'scenario'),
    progress: () => undefined,
    ...(plane.kubelet && { kubelet: plane.kubelet }),
  });
  undo.push(() => running.stop());
  const kubemend = async (args: string[], token = plane.adminToken): Promise<{ code: number | null; out: string; err: string }> => {
    const kubeconfig = join(directory, 'kubeconfig.yaml');
    await writeFile(kubeconfig, kubeconfigOf(plane.server, plane.ca, token));
    const program = [join(ROOT, 'bin/kubemend.ts'), ...args, '--json', '--kubeconfig', kubeconfig, '--state', directory];
    const child = spawn(process.execPath, program, { env: { ...process.env, NODE_OPTIONS: '' } });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    if (out === '') throw new Error(err);
    return { code, out, err };
  };
  const scan = async (token?: string): Promise<Scanned> => {
    const { code, out, err } = await kubemend(['scan', '--patience', '25'], token);
    return { code, err, ...(JSON.parse(out) as Omit<Scanned, 'code' | 'err'>) };
  };
  /** Scans until something is found: a scenario takes its time. */
  const until = async (): Promise<Scanned> => {
    for (let n = 0; n < 8; n += 1) {
      const scanned = await scan();
      // Undecided: time has to pass.
      if (scanned.code === 1 || scanned.doubts.length > 0) return scanned;
    }
    throw new Error('Nothing was found in 8 scans');
  };
  return { admin, plane, kubemend, scan, until };
}

/** Strimzi, Kubero and KubeBlocks in one cluster. */
const three =
  (crds: string, createSecret: string, stuck: boolean) =>
  async ({ admin, connection }: Parameters<Scenario['start']>[0]) => {
    await seedStaleCrds(admin, { crds: await readCrds(crds) });
    const strimzi = new FakeStrimziOperator({ connection: await operatorConnection(admin, connection), version: '0.43.0' });
    strimzi.start();
    await seedKubero(admin, { createSecret });
    const paths = pathsOf('1.0.0', 'demo');
    const kubeblocks = new FakeKubeBlocks({ connection: await installKubeBlocks(admin, connection, '1.0.0', 'demo'), namespace: 'demo' });
    kubeblocks.start();
    if (stuck) {
      await takeLastBrokerOffline(admin, paths);
      await admin.create(paths.ops, scaleBroker(paths, 'online-broker-2', { scaleOut: { offlineInstancesToOnline: ['kafka-broker-2'] } }));
    } else {
      await admin.create(paths.clusters, kafkaCluster(paths));
      await admin.until(`${paths.clusters}/kafka`, ({ status }) => status?.phase === 'Running');
    }
    await admin.until(KAFKA, ({ status }) => status?.operatorLastSuccessfulVersion === '0.43.0');
    return { stop: async () => void (await Promise.all([strimzi.stop(), kubeblocks.stop()])) };
  };

describe('kubemend scan, on a real API server', () => {
  it('finds stale CRDs, a pipeline in copy mode and a stuck OpsRequest, with cause and way out; a sample is looked at; nothing is written', async () => {
    const { until, plane, kubemend } = await clusterWith(three('0.41.0', 'copy', true));
    const { findings, code, doubts, err } = await until();
    expect({ code, doubts }).toEqual({ code: 1, doubts: [] });
    expect(findings.map(({ remediation, object }) => [remediation, object.name]).sort()).toEqual([
      ['kubeblocks/unstick-opsrequest', 'online-broker-2'],
      ['kubero/slow-release-storm', 'checkout'],
      ['strimzi/upgrade-stale-crds', 'my-cluster'],
    ]);
    for (const { cause, wayOut } of findings) expect([cause.issue, wayOut.steps.length]).toEqual([expect.stringMatching(/#\d+/), 1]);
    expect(err).toMatch(/strimzi\/upgrade-stale-crds: 1 kafkas\.kafka\.strimzi\.io/);
    expect((await readAuditLog(plane.auditLog)).filter(({ userAgent }) => userAgent === 'kubemend').map(({ verb }) => verb)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/create|update|patch|delete/)]),
    );
    const sent = await kubemend(['send', join(ROOT, 'events/samples/strimzi-stale-crds.json')]);
    expect({ code: sent.code, ...(JSON.parse(sent.out) as object) }).toMatchObject({
      code: 0,
      results: [{ remediation: 'strimzi/upgrade-stale-crds', handedOver: false, verdict: { kind: 'fix' } }],
    });
    expect(writesBy(await readAuditLog(plane.auditLog), 'kubemend', { dryRuns: true })).toEqual([]);
  }, 180_000);

  it('finds nothing where everything is well, and says so only when it could look', async () => {
    const { scan, plane } = await clusterWith(three('0.43.0', 'create', false));
    const { findings, code, doubts, undecided } = await scan();
    expect({ findings, code, doubts, undecided }).toEqual({ findings: [], code: 0, doubts: [], undecided: [] });
    const blind = await scan(await plane.connection('nobody', 'x').token?.());
    expect(blind).toMatchObject({ code: 3, findings: [] });
    expect(blind.doubts.map(({ because }) => because)).toContainEqual(expect.stringMatching(/403/));
  }, 180_000);

  it.each<[string, Scenario, RegExp]>([
    ['a CA roll that was interrupted, with its proof', caRoll, /the operator died in roll 1, and every pod trusts/],
    ['a stale znode before the next migration', staleZnode, /the rollback left \/migration in ZooKeeper/],
  ])(
    'finds %s',
    async (_, scenario, because) => {
      const { until } = await clusterWith((cluster) => scenario.start(cluster), scenario.kubelet === true);
      const { findings, code } = await until();
      expect(code).toBe(1);
      expect(findings).toEqual([expect.objectContaining({ remediation: scenario.remediation, because: expect.stringMatching(because) })]);
    },
    300_000,
  );
});
