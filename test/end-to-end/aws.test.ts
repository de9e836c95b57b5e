import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import type { Envelope } from '../../events/fact.ts';
import type { Answer } from '../../infra/lambda/handler.ts';
import { pathOf } from '../../shared/kubernetes/object.ts';
import type { Limits } from '../../shared/remediation.ts';
import { EARLY } from '../../shared/schedule/scheduler.ts';
import { type Installation, install } from '../aws/installation.ts';
import { type Moto, startMoto } from '../aws/moto.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import { pathsOf } from '../scenarios/kubeblocks/cluster.ts';
import { PIPELINE } from '../scenarios/kubero/cluster.ts';

/** Also what the API server and the operators of a slow machine need. */
const WITHIN = 240_000;
const FAST: Partial<Limits> = { confirmAfter: '500ms', settleWithin: '2s', stableFor: '2s', verifyWithin: '180s' };
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
  const denied = installation?.denied() ?? [];
  await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
  await installation?.stop();
  installation = undefined;
  sandboxes = [];
  problems.length = 0;
  // Each role suffices for what its function does.
  expect(denied).toEqual([]);
}, 60_000);

afterAll(async () => {
  await moto?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function play(scenario: string, remediation: string, cluster: string, place?: Installation, limits = FAST): Promise<Sandbox> {
  const sandbox = await openSandbox({
    ...{ scenario, mode: 'auto', cluster, limits: { [remediation]: limits } },
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
    const announced = await announcements(sandbox, incident, state);
    const writes = writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:');
    return {
      ...{ cluster, state, because, kept: kept?.state, announced },
      steps: kept?.execution?.written.map(({ how }) => how),
      writes: writes.map(({ verb, requestURI, user }) => `${user.username}: ${verb} ${requestURI.split('?')[0]}`).sort(),
    };
  }
  const answers = installation?.answers.slice(-10).map((one) => JSON.stringify(one));
  throw new Error([`Nothing ended. Told: ${told.join('; ') || 'nothing'}`, ...problems.slice(-10), ...(answers ?? [])].join('\n'));
}

/** What `kubectl describe` shows of an incident, once it shows that it ended. A function that runs out of time may record an Event again. */
async function announcements({ admin }: Sandbox, incident: string, state: string): Promise<string[]> {
  return until(async () => {
    const { items } = (await admin.get('/apis/events.k8s.io/v1/events')) as unknown as {
      items: { reportingInstance?: string; reason: string }[];
    };
    const reasons = items.flatMap(({ reportingInstance, reason }) => (reportingInstance === `kubemend-${incident}` ? reason : []));
    return state !== 'verified' || reasons.includes('FixVerified') ? [...new Set(reasons)].sort() : undefined;
  });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + WITHIN; ; await delay(100)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`It did not come: ${problems.slice(-10).join('\n')}`);
  }
}

/** A fact of a cluster that the functions were not given. */
async function refusesNorth({ put, answers, state }: Installation): Promise<void> {
  const sample = JSON.parse(await readFile(join(import.meta.dirname, '../../events/samples/strimzi-stale-crds.json'), 'utf8')) as Envelope;
  await put({ ...sample, detail: { ...sample.detail, cluster: 'north' } });
  const given = /was not given the cluster "north" \(it has: (east, west|west, east)\)/;
  const isRefusal = (answer: unknown) => (answer as Answer).taken === false && given.test((answer as Answer).because);
  for (const deadline = Date.now() + WITHIN; !answers.some(({ answer }) => isRefusal(answer)); await delay(50))
    if (Date.now() > deadline) throw new Error(`Nobody refused it: ${JSON.stringify(answers.slice(-5))}`);
  expect((await state.list()).map(({ cluster }) => cluster)).not.toContain('north');
}

const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkas.kafka.strimzi.io';

const KAFKA_PODS = [0, 1, 2].map((n) => `patch /api/v1/namespaces/kafka/pods/my-cluster-dual-${n}`);
const PODSET = 'patch /apis/core.strimzi.io/v1beta2/namespaces/kafka/strimzipodsets/my-cluster-dual';

const FAILURES: { scenario: string; remediation: string; writes: string[]; steps: number; clusters: string[] }[] = [
  {
    ...{ scenario: 'strimzi-stale-crds', remediation: 'strimzi/upgrade-stale-crds', clusters: ['east', 'west'] },
    ...{ steps: 1, writes: [`patch ${CRD}`] },
  },
  {
    ...{ scenario: 'kubero-registry-copy', remediation: 'kubero/slow-release-storm', clusters: ['east'] },
    ...{ steps: 1, writes: [`patch ${PIPELINE}`] },
  },
  {
    ...{ scenario: 'kubeblocks-last-pod-online', remediation: 'kubeblocks/unstick-opsrequest', clusters: ['east'] },
    ...{ steps: 1, writes: [`patch ${pathsOf('1.0.0', 'demo').clusters}/kafka`] },
  },
  {
    ...{ scenario: 'strimzi-ca-roll', remediation: 'strimzi/resume-ca-roll', clusters: ['east'] },
    ...{ steps: 4, writes: [...KAFKA_PODS, PODSET] },
  },
  {
    // Through a port-forward, to ZooKeeper: nothing the API server would call a write.
    ...{ scenario: 'strimzi-stale-znode', remediation: 'strimzi/delete-stale-migration-znode', clusters: ['east'] },
    ...{ steps: 1, writes: [] },
  },
];

describe('each failure on real API servers', () => {
  it.each(FAILURES)(
    '$scenario: built functions behind EventBridge, DynamoDB and SQS do in $clusters what one process does',
    async ({ scenario, remediation, writes, steps, clusters }) => {
      const place = await inAws();
      installation = place;
      const [here, ...there] = await Promise.all([
        play(scenario, remediation, 'here'),
        ...clusters.map((cluster) => play(scenario, remediation, cluster, place)),
      ]);
      const [local, ...found] = await Promise.all([here, ...there].map(outcome));
      expect(found).toEqual(clusters.map((cluster) => ({ ...local, cluster })));
      const user = `kubemend:${remediation.replace('/', ':')}`;
      expect(local?.announced).toEqual(expect.arrayContaining(['FixPlanned', 'FixApplied', 'FixVerified']));
      expect(local).toMatchObject({ state: 'verified', kept: 'verified', steps: Array(steps).fill('wrote') });
      expect(local?.writes).toEqual(writes.map((write) => `${user}: ${write}`).sort());

      // One table and the same functions, but each incident is about the object of its own cluster.
      const kept = (await place.state.list()).filter(({ state }) => state === 'verified');
      expect(kept.map(({ cluster }) => cluster).sort()).toEqual(clusters);
      expect(new Set(kept.map(({ key }) => key)).size).toBe(clusters.length);
      for (const { cluster, object } of kept) {
        const { metadata } = await (there[clusters.indexOf(cluster)] as Sandbox).admin.get(pathOf(object, object.name));
        expect(object.uid ?? metadata.uid).toBe(metadata.uid);
      }
      if (clusters.length > 1) await refusesNorth(place);
    },
    WITHIN + 60_000,
  );

  it('a look in 20 minutes stands in EventBridge Scheduler until then, and the incident ends when the time has come', async () => {
    const place = await inAws();
    installation = place;
    const [remediation, wait] = ['strimzi/upgrade-stale-crds', 20 * 60_000];
    const sandbox = await play('strimzi-stale-crds', remediation, 'east', place, { ...FAST, stableFor: '20m', verifyWithin: '1h' });
    for await (const { state } of sandbox.changes(WITHIN)) if (state === 'applied') break;
    const [incident] = await place.state.list();
    const due = await until(async () => (await place.scheduled())[0]);
    const { clearSince = 0 } = (await place.state.load(incident?.id ?? ''))?.verification ?? {};
    expect(due).toBe(Math.floor((clearSince + wait - EARLY) / 1_000) * 1_000);
    place.pass(wait);
    expect(await outcome(sandbox)).toMatchObject({ state: 'verified', kept: 'verified', steps: ['wrote'] });
    expect(await place.scheduled()).toEqual([]);
  }, 300_000);
});
