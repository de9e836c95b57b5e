import { afterEach, describe, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import type { Incident } from '../../shared/incident.ts';
import type { Limits } from '../../shared/remediation.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import type { Release } from '../scenarios/kubeblocks/arithmetic.ts';
import { installKubeBlocks, pathsOf, scaleBroker } from '../scenarios/kubeblocks/cluster.ts';
import { FakeKubeBlocks } from '../scenarios/kubeblocks/controller.ts';
import { scenario as lastPodOnline, takeLastBrokerOffline } from '../scenarios/kubeblocks-last-pod-online.ts';
import type { Scenario } from '../scenarios/scenario.ts';

const NAME = 'kubeblocks/unstick-opsrequest';
const FAST: Partial<Limits> = { confirmAfter: '1s', settleWithin: '2s', stableFor: '2s', verifyWithin: '60s' };
const PATHS = pathsOf('1.0.0', 'demo');
const ONLINE = { scaleOut: { offlineInstancesToOnline: ['kafka-broker-2'] } };
const problems: string[] = [];
let sandbox: Sandbox;
let controller: FakeKubeBlocks;

interface Seed {
  release?: Release;
  componentDef?: string;
  becomesReady?: (pod: string) => boolean;
}

/** The same seed; the test asks for the pod itself, once kubemend watches. */
const seeded = ({ release = '1.0.0', componentDef, becomesReady }: Seed = {}): Scenario => ({
  ...lastPodOnline,
  async start({ admin, connection }) {
    const identity = await installKubeBlocks(admin, connection, release, 'demo');
    controller = new FakeKubeBlocks({ connection: identity, namespace: 'demo', release, ...(becomesReady && { becomesReady }) });
    controller.start();
    await takeLastBrokerOffline(admin, pathsOf(release, 'demo'), componentDef);
    return controller;
  },
});

async function play(mode: string, scenario: Scenario = seeded()): Promise<void> {
  problems.length = 0;
  const options = { scenario, mode, progress: () => undefined, onProblem: (problem: string) => problems.push(problem) };
  sandbox = await openSandbox({ ...options, limits: { [NAME]: FAST } });
}

const ask = (name: string, change: Record<string, unknown>, spec = {}) =>
  sandbox.admin.create(PATHS.ops, scaleBroker(PATHS, name, change, spec));

/** Follows what is told about one operation until its incident is in one of the states. */
async function until(operation: string, ...states: string[]): Promise<Incident> {
  const told: string[] = [];
  for await (const { object, state, incident, because } of sandbox.changes(60_000)) {
    told.push(`${object.name} ${state}: ${because}`);
    if (object.name === operation && states.includes(state)) return (await sandbox.state.load(incident)) as Incident;
  }
  const found = `Told: ${told.join('; ') || 'nothing'}. Problems: ${problems.join('; ')}. Controller: ${controller.lastError}`;
  throw new Error(`${operation} became not ${states.join(' nor ')}. ${found}`);
}

const ownWrites = async (dryRuns = false) => writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:', { dryRuns });
const phaseOf = async (operation: string): Promise<unknown> => (await sandbox.admin.get(`${PATHS.ops}/${operation}`)).status?.phase;

afterEach(() => sandbox?.close());

describe('KubeBlocks #9000, on a real API server', () => {
  it('is fixed by one patch of the Cluster: the pod comes, the operation succeeds, the incident is verified', async () => {
    await play('auto');
    await ask('online-broker-2', ONLINE);
    const verified = await until('online-broker-2', 'verified', 'ineffective', 'failed');
    expect({ state: verified.state, because: verified.because }).toEqual({ state: 'verified', because: 'the operation ended: Succeed' });
    const writes = await ownWrites();
    expect(writes).toEqual([
      expect.objectContaining({
        verb: 'patch',
        user: expect.objectContaining({ username: 'kubemend:kubeblocks:unstick-opsrequest' }),
        requestURI: `${PATHS.clusters}/kafka?fieldManager=kubemend&timeout=15s`,
        responseStatus: expect.objectContaining({ code: 200 }),
      }),
    ]);
    const { spec } = await sandbox.admin.get(`${PATHS.clusters}/kafka`);
    expect(spec?.componentSpecs).toEqual([expect.objectContaining({ replicas: 3, componentDef: 'kafka-broker-1.0.0' })]);
    expect((await sandbox.admin.list(PATHS.pods)).map(({ metadata }) => metadata.name)).toEqual([0, 1, 2].map((n) => `kafka-broker-${n}`));
    expect(controller.lastError).toBeUndefined();
  }, 120_000);

  it('with a queue behind it is cancelled, and asked for again with a number once the Cluster is restored', async () => {
    await play('auto');
    await ask('online-broker-2', ONLINE);
    await sandbox.admin.until(`${PATHS.ops}/online-broker-2`, ({ status }) => status?.progress === '0/1');
    await ask('scale-out-1', { scaleOut: { replicaChanges: 1 } });
    const verified = await until('online-broker-2', 'verified', 'ineffective', 'failed');
    expect({ state: verified.state, because: verified.because }).toEqual({
      state: 'verified',
      because: 'online-broker-2-retry brought the instances online',
    });
    expect((await ownWrites()).map(({ verb, requestURI }) => [verb, requestURI.split('?')[0]])).toEqual([
      ['patch', `${PATHS.ops}/online-broker-2`],
      ['create', PATHS.ops],
    ]);
    expect(await phaseOf('online-broker-2')).toBe('Cancelled');
    const retry = await sandbox.admin.get(`${PATHS.ops}/online-broker-2-retry`);
    expect(retry.spec?.horizontalScaling).toEqual([
      { componentName: 'broker', scaleOut: { offlineInstancesToOnline: ['kafka-broker-2'], replicaChanges: 1 } },
    ]);
    expect((await sandbox.admin.list(PATHS.pods)).map(({ metadata }) => metadata.name)).toContain('kafka-broker-2');
    const plans = verified.history.flatMap(({ state, verdict }) =>
      state === 'planned' && verdict?.kind === 'fix' ? [verdict.evidence.remedy?.value] : [],
    );
    expect(plans.slice(-2)).toEqual(['cancel and ask again', 'ask again']);
  }, 120_000);

  it('of an addon whose data may not survive waits for a person, also in auto', async () => {
    await play('auto', seeded({ componentDef: 'etcd-1.0.0' }));
    await ask('online-broker-2', ONLINE);
    const waiting = await until('online-broker-2', 'awaiting-approval', 'executing');
    expect(waiting.state).toBe('awaiting-approval');
    expect(await ownWrites(true)).toEqual([]);
    await sandbox.answer(waiting.id, { kind: 'approve', hash: waiting.plan?.hash ?? '', by: 'ada' });
    expect((await until('online-broker-2', 'verified', 'ineffective', 'failed')).state).toBe('verified');
  }, 120_000);

  it('is only planned in shadow mode: no write request at all, not even a dry run', async () => {
    await play('shadow');
    await ask('online-broker-2', ONLINE);
    await until('online-broker-2', 'shadowed');
    expect(await ownWrites(true)).toEqual([]);
  }, 120_000);

  it.each<[Release, string, string]>([
    ['1.0.1', 'is not there: the pod comes by itself', 'cleared'],
    ['0.9.3', 'is silent: the operation ends without the pod, and a person is told', 'reported'],
  ])(
    'in KubeBlocks %s %s; nothing is written',
    async (release, _, state) => {
      await play('auto', seeded({ release }));
      const paths = pathsOf(release, 'demo');
      await sandbox.admin.create(paths.ops, scaleBroker(paths, 'online-broker-2', ONLINE));
      expect((await until('online-broker-2', 'cleared', 'reported', 'planned')).state).toBe(state);
      expect((await sandbox.admin.get(`${paths.ops}/online-broker-2`)).status?.phase).toBe('Succeed');
      const pods = (await sandbox.admin.list(paths.pods)).map(({ metadata }) => metadata.name);
      expect(pods.includes('kafka-broker-2')).toBe(release === '1.0.1');
      expect(await ownWrites(true)).toEqual([]);
    },
    120_000,
  );

  it('is not seen in a pod that is only slow: nothing is written until it is ready by itself', async () => {
    let slow = false;
    await play('auto', seeded({ becomesReady: (pod) => !slow || pod !== 'kafka-broker-0' }));
    // Not the highest ordinal: 1.0.0 counts it right, and the request looks the same.
    await ask('offline-broker-0', { scaleIn: { onlineInstancesToOffline: ['kafka-broker-0'] } });
    await sandbox.admin.until(`${PATHS.ops}/offline-broker-0`, ({ status }) => status?.phase === 'Succeed');
    await sandbox.admin.until(`${PATHS.clusters}/kafka`, ({ status }) => status?.phase === 'Running');
    slow = true;
    await ask('online-broker-0', { scaleOut: { offlineInstancesToOnline: ['kafka-broker-0'] } });
    await sandbox.admin.until(`${PATHS.ops}/online-broker-0`, ({ status }) => status?.progress === '0/1');
    const looks = [await until('online-broker-0', 'waiting')];
    while (looks.length < 3) {
      await sandbox.admin.patch(`${PATHS.ops}/online-broker-0`, 'merge', { metadata: { annotations: { nudge: `${looks.length}` } } });
      const { id, revision } = looks.at(-1) as Incident;
      const next = await moved(id, revision);
      expect(next.state).toBe('waiting');
      looks.push(next);
    }
    slow = false;
    await sandbox.admin.until(`${PATHS.ops}/online-broker-0`, ({ status }) => status?.phase === 'Succeed');
    expect((await until('online-broker-0', 'cleared', 'planned', 'reported')).state).toBe('cleared');
    expect(await ownWrites(true)).toEqual([]);
  }, 120_000);

  it('is not #9790: shards that stay as many are ended by a timeout', async () => {
    await play('auto');
    const template = { componentDef: 'redis-cluster-7', replicas: 1 };
    const metadata = { name: 'redis' };
    const spec = { terminationPolicy: 'Delete', shardings: [{ name: 'shard', shards: 2, template }] };
    await sandbox.admin.create(PATHS.clusters, { apiVersion: PATHS.appsVersion, kind: 'Cluster', metadata, spec });
    await sandbox.admin.until(`${PATHS.clusters}/redis`, ({ status }) => status?.phase === 'Running');
    const horizontalScaling = [{ componentName: 'shard', shards: 2 }];
    await sandbox.admin.create(PATHS.ops, {
      ...{ apiVersion: PATHS.opsVersion, kind: 'OpsRequest', metadata: { name: 'shards-unchanged' } },
      spec: { clusterName: 'redis', type: 'HorizontalScaling', horizontalScaling },
    });
    const verified = await until('shards-unchanged', 'verified', 'ineffective', 'failed');
    expect([verified.state, verified.because]).toEqual(['verified', 'the operation ended: Aborted']);
    expect((await ownWrites()).map(({ verb, requestURI }) => [verb, requestURI.split('?')[0]])).toEqual([
      ['patch', `${PATHS.ops}/shards-unchanged`],
    ]);
  }, 120_000);
});

/** The incident when it has been examined once more. */
async function moved(id: string, after: number): Promise<Incident> {
  for (let tries = 0; tries < 400; tries += 1) {
    const incident = (await sandbox.state.load(id)) as Incident;
    if (incident.revision > after && incident.effects.length === 0) return incident;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Incident ${id} was not examined again`);
}
