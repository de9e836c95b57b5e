import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import { identityOf } from '../../infra/kubernetes/rbac.ts';
import { liveValues } from '../../shared/evidence.ts';
import { execute, type Result } from '../../shared/execute.ts';
import type { Incident } from '../../shared/incident.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import { type DeleteZnode, inverseOf, type KeptZnode } from '../../shared/znode-step.ts';
import { deleteZnode, readZnode, type Znode } from '../../shared/zookeeper/client.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import type { Kubelet } from '../control-plane/kubelet.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { type RollbackOptions, type RolledBack, seedRolledBack } from '../scenarios/strimzi/rolled-back.ts';
import { scenario as staleZnode } from '../scenarios/strimzi-stale-znode.ts';
import { migration, recreateWithSameVersion, setZnode } from '../scenarios/zookeeper/kafka-nodes.ts';

const NAME = 'strimzi/delete-stale-migration-znode';
const problems: string[] = [];
let sandbox: Sandbox;
let world: RolledBack;
let kubelet: Kubelet;
let connection: Connection;
let before: Znode | undefined;
let silent: Server | undefined;

interface Play extends Pick<RollbackOptions, 'offset'> {
  pins?: Scenario['pins'];
  checkpoint?: Parameters<typeof openSandbox>[0]['checkpoint'];
}

async function play({ offset, pins = staleZnode.pins ?? {}, checkpoint }: Play = {}): Promise<void> {
  problems.length = 0;
  const scenario: Scenario = {
    ...staleZnode,
    pins,
    async start(cluster) {
      connection = cluster.connection;
      kubelet = cluster.kubelet as Kubelet;
      world = await seedRolledBack({ ...cluster, kubelet, ...(offset !== undefined && { offset }) });
      return world;
    },
  };
  sandbox = await openSandbox({
    ...{ scenario, mode: 'auto', progress: () => undefined, onProblem: (problem) => problems.push(problem) },
    limits: { [NAME]: { confirmAfter: '500ms', settleWithin: '1s', stableFor: '1s' } },
    ...(checkpoint && { checkpoint }),
  });
  before = await migrationNow();
}

const migrationNow = (): Promise<Znode | undefined> => readZnode(world.broker, '/migration');

/** Follows what is told until one of the states or sentences comes. */
async function until(wanted: RegExp): Promise<Incident> {
  const told: string[] = [];
  for await (const { state, incident, because } of sandbox.changes(150_000)) {
    told.push(`${state}: ${because}`);
    if (wanted.test(`${state}: ${because}`)) return (await sandbox.state.load(incident)) as Incident;
  }
  throw new Error(`Nothing like ${wanted} was told, but: ${told.join('; ') || 'nothing'}. Problems: ${problems.join('; ')}`);
}

afterEach(async () => {
  await sandbox?.close();
  silent?.close();
});

describe('/migration left by a KRaft rollback (Strimzi #11262), on a real API server and a real ZooKeeper', () => {
  it('is read twice, backed up, deleted once and verified; the undo puts the same bytes back', async () => {
    await play();
    await world.finish();
    const verified = await until(/^verified/);
    expect(await migrationNow()).toBeUndefined();
    expect((await readZnode(world.broker, '/controller'))?.ephemeralOwner).not.toBe('0x0');
    expect(liveValues(verified.plan?.evidence ?? {})).toMatchObject({
      operator: '0.45.0',
      migration: { version: 0, kraft_metadata_offset: 227 },
    });
    expect(verified.execution?.written).toEqual([expect.objectContaining({ how: 'wrote' })]);
    expect(problems).toEqual([]);
    const advice = verified.history.flatMap(({ verdict }) => (verdict?.kind === 'fix' ? (verdict.advice ?? []) : []));
    expect(advice[0]).toMatch(/^Only after this is verified.* delete pvc data-0-my-cluster-controller-3$/);

    const log = await readAuditLog(sandbox.auditLog);
    expect(writesBy(log, 'kubemend:', { dryRuns: true })).toEqual([]);
    const forwards = log.filter(({ objectRef, user }) => objectRef?.subresource === 'portforward' && user.username.startsWith('kubemend:'));
    expect(new Set(forwards.map(({ user, objectRef }) => `${user.username} ${objectRef?.name}`))).toEqual(
      new Set([`${identityOf(NAME)} my-cluster-zookeeper-0`]),
    );

    const { artifact = '', sha256 = '' } = verified.execution?.steps[0]?.backup ?? {};
    const backup = await sandbox.artifacts.get(artifact, sha256);
    const kept = JSON.parse(backup) as KeptZnode[];
    expect(kept.map(({ path }) => path)).toEqual(['/migration', '/controller', '/controller_epoch', '/brokers/topics']);
    expect(kept[3]?.children).toBe(2);
    expect(await undo(verified, backup)).toMatchObject({ kind: 'written' });
    expect((await migrationNow())?.data).toEqual(before?.data);
    expect(await undo(verified, backup)).toMatchObject({ kind: 'conflict', because: expect.stringContaining('is there again') });
  }, 240_000);

  it.each<[string, Play, () => Promise<unknown>, RegExp]>([
    ['dual-write is alive', {}, async () => dualWrite(), /a KRaft controller writes \/migration: version \d+ became \d+/],
    ['nothing was ever copied', { offset: -1 }, async () => undefined, /nothing was copied \(offset -1\): it is harmless/],
    ['there is no node', { offset: null }, async () => undefined, /ZooKeeper has no \/migration/],
    ['a controller pod is left', {}, () => world.addController(), /a controller is still there: my-cluster-controller-3/],
    ['ZooKeeper is silent', {}, listenSilently, /ZooKeeper did not answer the connect request within 10 s/],
    ['the port is closed', {}, () => kubelet.listen('kafka', 'my-cluster-zookeeper-0', 12181, undefined), /12181: .*connection refused/],
    [
      'there is no permission',
      { pins: {} },
      async () => undefined,
      /answered 403: pods "my-cluster-zookeeper-0" is forbidden.*apply the RBAC/,
    ],
  ])(
    'stays when %s',
    async (_, options, mutate, because) => {
      await play(options);
      await mutate();
      await world.finish();
      const incident = await until(because);
      expect(incident.execution).toBeUndefined();
      expect((await migrationNow())?.czxid).toBe(before?.czxid);
    },
    240_000,
  );

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['was written', () => setZnode(world.broker, '/migration', migration(300)), /was written after it was read \(version 1, now 2\)/],
    [
      'was created anew and has the same version',
      () => recreateWithSameVersion(world.broker, 227),
      /was deleted and created again after it was read/,
    ],
    ['was deleted by somebody else', () => deleteZnode(world.broker, '/migration', -1), /is gone: somebody else deleted it/],
  ])(
    'is not deleted by us when it %s between the third question and the write',
    async (_, mutate, because) => {
      let at: Znode | undefined;
      let mutated = false;
      await play({
        async checkpoint(point, effect) {
          if (point !== 'before' || effect.kind !== 'write' || mutated) return;
          mutated = true;
          await mutate();
          at = await migrationNow();
        },
      });
      await setZnode(world.broker, '/migration', migration(227));
      await world.finish();
      const incident = await until(because);
      expect(incident.execution).toBeUndefined();
      expect((await migrationNow())?.czxid).toBe(at?.czxid);
    },
    240_000,
  );

  it('goes through zookeeper-shell.sh in the pod where port-forward is forbidden and exec is allowed: the same end', async () => {
    await play({ pins: { 'zookeeper-exec-pods': staleZnode.pins?.['zookeeper-pods'] ?? [] } });
    await world.installShell();
    await world.finish();
    const verified = await until(/^verified/);
    expect(await migrationNow()).toBeUndefined();
    expect(liveValues(verified.plan?.evidence ?? {})).toMatchObject({
      migration: { version: 0, czxid: before?.czxid, kraft_metadata_offset: 227 },
    });
    const { artifact = '', sha256 = '' } = verified.execution?.steps[0]?.backup ?? {};
    const kept = JSON.parse(await sandbox.artifacts.get(artifact, sha256)) as KeptZnode[];
    expect(kept.map(({ path, children }) => `${path} ${children}`)).toContain('/brokers/topics 2');
    expect(await undo(verified, JSON.stringify(kept))).toMatchObject({ kind: 'written' });
    expect((await migrationNow())?.data).toEqual(before?.data);
  }, 240_000);

  it('reaches no other pod, and runs nothing in this one', async () => {
    await play();
    const transport = new Transport({ ...connection, impersonate: identityOf(NAME) });
    const refused = transport.portForward({ namespace: 'kafka', pod: 'my-cluster-kafka-0', port: 9091 });
    await expect(refused).rejects.toMatchObject({ status: 403 });
    const exec = '/api/v1/namespaces/kafka/pods/my-cluster-zookeeper-0/exec?command=id&stdout=true';
    expect((await transport.send({ method: 'POST', path: exec })).status).toBe(403);
    const claim = '/api/v1/namespaces/kafka/persistentvolumeclaims/data-0-my-cluster-controller-3';
    expect((await transport.send({ method: 'DELETE', path: claim })).status).toBe(403);
    transport.close();
  }, 120_000);
});

function undo({ plan, id, execution }: Incident, backup: string): Promise<Result> {
  const step = inverseOf(plan?.steps[0] as DeleteZnode, backup);
  const sender = new Transport({ ...connection, impersonate: identityOf(NAME) });
  const lock = execution?.steps[0] ?? { index: 0 };
  return execute({ step, lock, incident: id, now: Date.now(), sender, artifacts: sandbox.artifacts });
}

/** A living controller: a record every half second, for as long as the broker's session. */
function dualWrite(): void {
  let offset = 227;
  const beat = setInterval(() => {
    offset += 1;
    setZnode(world.broker, '/migration', migration(offset)).catch(() => clearInterval(beat));
  }, 500);
}

/** Takes connections and says nothing. */
async function listenSilently(): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  silent = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await kubelet.listen('kafka', 'my-cluster-zookeeper-0', 12181, `127.0.0.1:${port}`);
}
