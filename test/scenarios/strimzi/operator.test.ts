import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Admin, type Doc } from '../../control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/control-plane.ts';
import { watchEvents } from '../../control-plane/watch.ts';
import { operatorConnection, parseCrds, readCrds, seedStaleCrds } from './cluster.ts';
import { FakeStrimziOperator, type OperatorOptions } from './operator.ts';

const KAFKAS = '/apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkas';
const PACE = 100;

let plane: ControlPlane;
let admin: Admin;
let operator: FakeStrimziOperator;

async function startStorm(options: Partial<OperatorOptions> = {}) {
  plane = await startControlPlane();
  admin = new Admin(plane.connection('admin', 'test/1.0'));
  await seedStaleCrds(admin, { crds: await readCrds('0.41.0') });
  const connection = await operatorConnection(admin, plane.connection('admin', ''));
  operator = new FakeStrimziOperator({ connection, pace: PACE, ...options });
  operator.start();
}

async function end() {
  await operator.stop();
  admin.close();
  await plane.stop();
}

/** The next `count` changes of the Kafka, as a watch tells them. */
async function nextChanges(count: number, within = 20_000): Promise<Doc[]> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), within);
  const { metadata } = await admin.get(KAFKAS);
  const watch = watchEvents(admin.transport, `${KAFKAS}?watch=1&resourceVersion=${metadata.resourceVersion}`, abort.signal);
  const changes: Doc[] = [];
  try {
    for await (const { object } of watch) {
      changes.push(object);
      if (changes.length === count) break;
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
  return changes;
}

async function applyKafkasCrd(version: string) {
  const crd = parseCrds(await readCrds(version)).find(({ metadata }) => metadata?.name === 'kafkas.kafka.strimzi.io');
  if (crd === undefined) throw new Error(`${version} has no kafkas CRD`);
  await admin.applyCrd(crd, 'kubemend');
}

const registered = ({ status }: Doc) => status?.registeredNodeIds;
const versionOf = ({ metadata }: Doc) => metadata.resourceVersion;
const timeOf = ({ status }: Doc) => ((status?.conditions ?? []) as { lastTransitionTime: string }[])[0]?.lastTransitionTime;

describe('the fake Strimzi operator 0.43.0 on CRDs 0.41.0', () => {
  beforeAll(() => startStorm(), 60_000);
  afterAll(end, 30_000);

  it('writes its status over and over, and only timestamps change', async () => {
    await admin.until(`${KAFKAS}/my-cluster`, ({ status }) => status !== undefined);
    const before = performance.now();
    const changes = await nextChanges(8);
    const period = (performance.now() - before) / changes.length;
    console.log(`one loop takes ${period.toFixed(0)} ms at a pace of ${PACE} ms`);
    expect(new Set(changes.map(versionOf)).size).toBe(8);
    expect(new Set(changes.map(timeOf)).size).toBe(8);
    expect(changes.map(({ metadata }) => metadata.generation)).toEqual(Array(8).fill(1));
    expect(changes.map(({ status }) => status?.observedGeneration)).toEqual(Array(8).fill(1));
    expect(changes.map(registered)).toEqual(Array(8).fill(undefined));
    const contents = changes.map(({ status }) => JSON.stringify(status).replaceAll(/"lastTransitionTime":"[^"]*"/g, ''));
    expect(new Set(contents).size).toBe(1);
    expect(operator.lastError).toBeUndefined();
  }, 30_000);

  it('is in the audit log as Strimzi is', async () => {
    const puts = (await readFile(plane.auditLog, 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"subresource":"status"') && line.includes('"resource":"kafkas"'))
      .map((line) => JSON.parse(line));
    expect(puts.length).toBeGreaterThanOrEqual(5);
    expect(puts[0]).toMatchObject({
      verb: 'update',
      user: { username: 'system:serviceaccount:strimzi:strimzi-cluster-operator' },
      userAgent: 'strimzi-cluster-operator/0.43.0',
      objectRef: { apiGroup: 'kafka.strimzi.io', apiVersion: 'v1beta2', namespace: 'kafka', name: 'my-cluster' },
      responseStatus: { code: 200 },
    });
  });

  it('ends by itself, without a restart, when the kafkas CRD of 0.43.0 is applied', async () => {
    const before = performance.now();
    await applyKafkasCrd('0.43.0');
    await admin.until(`${KAFKAS}/my-cluster`, (kafka) => registered(kafka) !== undefined);
    console.log(`cured ${((performance.now() - before) / 1000).toFixed(2)} s after the apply was sent`);
    // A PUT that was under way may still come; after it, ten loop periods of silence.
    await nextChanges(1, 2 * PACE + 200);
    const quiet = await admin.get(`${KAFKAS}/my-cluster`);
    expect(await nextChanges(1, 10 * (PACE + 50))).toEqual([]);
    expect(versionOf(await admin.get(`${KAFKAS}/my-cluster`))).toBe(versionOf(quiet));
    expect(registered(quiet)).toEqual([0, 1, 2]);
  }, 60_000);

  it('writes once when the spec changes, and is silent again', async () => {
    const writes = operator.writes;
    await admin.patch(`${KAFKAS}/my-cluster`, 'merge', { spec: { kafka: { config: { 'min.insync.replicas': 1 } } } });
    await admin.until(`${KAFKAS}/my-cluster`, ({ status }) => status?.observedGeneration === 2);
    await nextChanges(1, 5 * PACE);
    expect(operator.writes).toBe(writes + 1);
  });
});

describe('a stubborn operator', () => {
  beforeAll(() => startStorm({ stubborn: true }), 60_000);
  afterAll(end, 30_000);

  it('goes on writing after the right CRD is applied, although that field is now kept', async () => {
    await applyKafkasCrd('0.43.0');
    await admin.until(`${KAFKAS}/my-cluster`, (kafka) => registered(kafka) !== undefined);
    expect((await nextChanges(5)).map(registered)).toEqual(Array(5).fill([0, 1, 2]));
  }, 60_000);
});
