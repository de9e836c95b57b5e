import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import type { Limits } from '../../shared/remediation.ts';
import { type Installation, install } from '../aws/installation.ts';
import { type Moto, startMoto } from '../aws/moto.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import { pathsOf } from '../scenarios/kubeblocks/cluster.ts';
import { PIPELINE } from '../scenarios/kubero/cluster.ts';

/** Also what the API server and the operators of a slow machine need. */
const WITHIN = 150_000;
const problems: string[] = [];
let folder: string;
let moto: Moto;
let installation: Installation | undefined;
let sandboxes: Sandbox[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-aws-'));
  const build = join(import.meta.dirname, '../../infra/build.mjs');
  await promisify(execFile)(process.execPath, [build, '--out', join(folder, 'dist')]);
  moto = await startMoto();
}, 240_000);

afterEach(async () => {
  await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
  await installation?.stop();
  installation = undefined;
  sandboxes = [];
  problems.length = 0;
}, 60_000);

afterAll(async () => {
  await moto?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function play(scenario: string, remediation: string, place?: Installation, cluster = 'sandbox'): Promise<Sandbox> {
  const sandbox = await openSandbox({
    ...{ scenario, mode: 'auto', cluster, limits: { [remediation]: FAST } },
    progress: () => undefined,
    onProblem: (problem) => problems.push(problem),
    ...(place && { start: place.join }),
  });
  sandboxes.push(sandbox);
  return sandbox;
}

const inAws = () => install({ ...{ moto, folder, built: join(folder, 'dist') }, onProblem: (problem) => problems.push(problem) });

/** What an incident of a sandbox came to: told by the bus, kept in the state, written to the cluster. */
async function outcome(sandbox: Sandbox) {
  const told: string[] = [];
  for await (const { state, incident, cluster, because } of sandbox.changes(WITHIN)) {
    told.push(`${state}: ${because}`);
    if (!['verified', 'ineffective', 'failed', 'resolved', 'refused', 'reported'].includes(state)) continue;
    const kept = await sandbox.state.load(incident);
    const writes = writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:');
    return {
      ...{ cluster, state, because, kept: kept?.state },
      steps: kept?.execution?.written.map(({ how }) => how),
      writes: writes.map(({ verb, requestURI, user }) => `${user.username}: ${verb} ${requestURI.split('?')[0]}`),
    };
  }
  const answers = installation?.answers.slice(-10).map((one) => JSON.stringify(one));
  throw new Error([`Nothing ended. Told: ${told.join('; ') || 'nothing'}`, ...problems.slice(-10), ...(answers ?? [])].join('\n'));
}

const FAST: Partial<Limits> = { confirmAfter: '500ms', settleWithin: '2s', stableFor: '2s', verifyWithin: '100s' };
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkas.kafka.strimzi.io';

const KAFKA_PODS = [0, 1, 2].map((n) => `patch /api/v1/namespaces/kafka/pods/my-cluster-dual-${n}`);

const FAILURES: [scenario: string, remediation: string, writes: string[], steps?: number][] = [
  ['strimzi-stale-crds', 'strimzi/upgrade-stale-crds', [`patch ${CRD}`]],
  ['kubero-registry-copy', 'kubero/slow-release-storm', [`patch ${PIPELINE}`]],
  ['kubeblocks-last-pod-online', 'kubeblocks/unstick-opsrequest', [`patch ${pathsOf('1.0.0', 'demo').clusters}/kafka`]],
  ['strimzi-ca-roll', 'strimzi/resume-ca-roll', KAFKA_PODS],
  // Through a port-forward, to ZooKeeper: nothing the API server would call a write.
  ['strimzi-stale-znode', 'strimzi/delete-stale-migration-znode', [], 1],
];

describe('each failure on real API servers', () => {
  it.each(FAILURES)(
    '%s: built functions behind EventBridge, DynamoDB and SQS do what one process does',
    async (scenario, remediation, writes, steps = writes.length) => {
      installation = await inAws();
      const [here, there] = await Promise.all([play(scenario, remediation), play(scenario, remediation, installation)]);
      const found = await Promise.all([outcome(here), outcome(there)]);
      expect(found[1]).toEqual(found[0]);
      const user = `kubemend:${remediation.replace('/', ':')}`;
      expect(found[1]).toMatchObject({ state: 'verified', kept: 'verified', steps: Array(steps).fill('wrote') });
      expect(found[1].writes.sort()).toEqual(writes.map((write) => `${user}: ${write}`));
    },
    WITHIN + 60_000,
  );
});
