import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Exporter } from '../../events/exporter/exporter.ts';
import { CheckpointFile } from '../../events/exporter/spool/checkpoint-file.ts';
import type { ObjectChanged } from '../../events/object-changed.ts';
import { Transport } from '../../shared/kubernetes/transport.ts';
import { whenObjectChanged } from '../../shared/when.ts';
import { Admin } from '../control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const SECRETS = '/api/v1/namespaces/default/secrets';
/** More than one page of the exporter's lists. */
const MANY = 520;
let plane: ControlPlane;
let admin: Admin;
let transport: Transport;
let directory: string;

async function start(): Promise<void> {
  plane = await startControlPlane({ progress: () => undefined, directory: join(directory, 'plane') });
  admin = new Admin(plane.connection('admin', 'test'));
  transport = new Transport(plane.connection('admin', 'exporter'));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubemend-resume-'));
  await start();
  await Promise.all(Array.from({ length: MANY }, (_, i) => put(`map-${i}`, '0')));
  await admin.create(SECRETS, { metadata: { name: 'login', labels: { app: 'x' } }, stringData: { password: 'p' } });
}, 600_000);

afterAll(async () => {
  transport?.close();
  admin?.close();
  await plane?.stop();
  await rm(directory, { recursive: true, force: true });
});

const put = (name: string, value: string) => admin.create(MAPS, { metadata: { name }, data: { value } });
const change = (name: string, value: string) => admin.patch(`${MAPS}/${name}`, 'merge', { data: { value } });

/** One life of an exporter on the folder: what it told until the condition held, and what it asked for. */
async function live(until: (told: string[]) => boolean): Promise<{ told: string[]; asked: string[]; problems: string[] }> {
  const [told, asked, problems]: [string[], string[], string[]] = [[], [], []];
  const has = { data: { value: [{ exists: true as const }] } };
  const maps = { group: '', version: 'v1', resource: 'configmaps' };
  const secrets = { group: '', version: 'v1', resource: 'secrets' };
  const exporter = new Exporter({
    cluster: 'test',
    rules: [
      { name: 'current', pattern: whenObjectChanged(maps, { current: has }) },
      { name: 'previous', pattern: whenObjectChanged(maps, { previous: has }) },
      { name: 'deleted', pattern: whenObjectChanged(maps, { change: ['deleted'] }) },
      { name: 'secrets', pattern: whenObjectChanged(secrets, { current: { metadata: { labels: { app: [{ exists: true }] } } } }) },
    ],
    open: (path, signal, accept) => {
      asked.push(path);
      return transport.open(path, signal, accept);
    },
    sink: {
      async put(events) {
        for (const { detail } of events) {
          const { change: what, object, current, previous, coverage } = detail as unknown as ObjectChanged;
          const value = (state: unknown) => (state as { data?: { value?: string } } | undefined)?.data?.value ?? '?';
          told.push(`${what} ${object.name} ${value(previous)}→${value(current)}${coverage.gap ? ' gap' : ''}`);
        }
      },
    },
    ...{
      clock: Date,
      random: Math.random,
      directory: join(directory, 'exporter'),
      onProblem: (message: string) => void problems.push(message),
    },
  });
  await exporter.start();
  try {
    for (const deadline = Date.now() + 30_000; !exporter.ready() || !until(told); await delay(10)) {
      if (Date.now() > deadline) throw new Error(`Not told in time; so far: ${told.join(', ')}; ${problems.join(' ')}`);
    }
    return { told, asked, problems };
  } finally {
    await exporter.stop();
  }
}

describe('an exporter on a real API server', () => {
  it('goes on where it stopped, with the states before, page by page and without a gap', async () => {
    const first = await live(() => true);
    expect(first.told).toEqual([]);
    await change('map-1', '1');
    await change('map-1', '2');
    await admin.delete(`${MAPS}/map-2`);
    await put('later', '1');
    await admin.patch(`${SECRETS}/login`, 'merge', { metadata: { labels: { app: 'y' } } });
    const { told, asked, problems } = await live(({ length }) => length >= 5);
    expect(told.filter((one) => !one.includes('login'))).toEqual([
      'modified map-1 0→1',
      'modified map-1 1→2',
      'deleted map-2 0→?',
      'added later ?→1',
    ]);
    expect(told).toContain('modified login ?→?');
    expect(problems).toEqual([]);
    const lists = asked.filter((path) => path.startsWith('/api/v1/configmaps?limit=500'));
    expect(lists).toEqual([expect.stringMatching(/&resourceVersion=\d+&resourceVersionMatch=Exact$/), expect.stringMatching(/&continue=/)]);
  }, 120_000);

  it('does not take up a checkpoint of another history of the cluster', async () => {
    const path = join(directory, 'exporter', 'checkpoints', 'watch-configmaps.core.json');
    const file = new CheckpointFile(path, () => undefined);
    const saved = file.read() as { resourceVersion: string; heads: unknown[][] };
    // From a future that this cluster never reached, as after a backup was restored.
    await file.write({ ...saved, resourceVersion: '999999999' });
    await change('map-7', '1');
    const future = await live(({ length }) => length >= 1);
    expect(future.told).toEqual(['modified map-7 ?→1 gap']);
    expect(future.problems).toEqual([expect.stringContaining('no longer knows the state')]);
    const now = file.read() as typeof saved;
    const heads = now.heads.map((head) => (head[1] === 'map-8' ? [head[0], 'gone', 'another-uid', ...head.slice(3)] : head));
    await file.write({ ...now, heads });
    const other = await live(({ length }) => length >= 2);
    expect(other.told).toEqual(['deleted gone ?→? gap', 'added map-8 ?→0 gap']);
    expect(other.problems).toEqual([expect.stringContaining('another history')]);
  }, 120_000);

  it('knows the states before, but says gap, when the API server was restarted, too: its watch cache is new', async () => {
    await change('map-5', '1');
    await admin.delete(`${MAPS}/map-6`);
    await restart();
    const { told } = await live(({ length }) => length >= 2);
    expect(told.toSorted()).toEqual(['deleted map-6 0→? gap', 'modified map-5 0→1 gap']);
  }, 120_000);

  it('tells the difference as a gap when etcd was compacted', async () => {
    await change('map-3', '1');
    await admin.delete(`${MAPS}/map-4`);
    const { metadata } = await put('latest', '1');
    await compact(String(metadata.resourceVersion));
    // A running API server still has snapshots in memory.
    await restart();
    const { told, problems } = await live(({ length }) => length >= 3);
    expect(told.toSorted()).toEqual(['added latest ?→1 gap', 'deleted map-4 ?→? gap', 'modified map-3 ?→1 gap']);
    expect(problems).toContainEqual(expect.stringContaining('no longer knows the state of the checkpoint'));
  }, 120_000);
});

async function restart(): Promise<void> {
  transport.close();
  admin.close();
  await plane.stop();
  await start();
}

/** Forgets the versions before this one: in etcd, by its JSON gateway, and so in the API server's cache when it notices. */
async function compact(revision: string): Promise<void> {
  const socketPath = join(plane.directory, 'etcd.sock:0');
  const status = await new Promise((resolve, reject) => {
    request({ socketPath, path: '/v3/kv/compaction', method: 'POST' }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end(JSON.stringify({ revision, physical: true }));
  });
  if (status !== 200) throw new Error(`etcd answered ${status} to the compaction`);
}
