import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { kubeconfigOf } from '../../bin/sandbox.ts';
import { databasePath, openArtifacts } from '../../bin/store.ts';
import { type LocalOptions, type LocalRun, startLocal } from '../../infra/local/run.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import type { Incident } from '../../shared/incident.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { Admin } from '../control-plane/admin.ts';
import { readAuditLog } from '../control-plane/audit-log.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { scenario } from '../scenarios/strimzi-stale-crds.ts';

const NAME = 'strimzi/upgrade-stale-crds';
let plane: ControlPlane;
let admin: Admin;
let directory: string;
let failing: { stop(): Promise<void> };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubemend-crash-'));
  plane = await startControlPlane();
  admin = new Admin(plane.connection('admin', 'test'));
  failing = await scenario.start({ admin, connection: plane.connection('admin', 'scenario'), progress: () => undefined });
  const database = openDatabase(databasePath(directory));
  await new SqliteState(database).set(`mode/${NAME}`, 'auto');
  database.close();
}, 60_000);

afterEach(async () => {
  await failing.stop();
  admin.close();
  await plane.stop();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** Requests by kubemend that stored something. */
const stored = async () =>
  (await readAuditLog(plane.auditLog)).filter(
    ({ requestURI, verb, responseStatus }) =>
      verb === 'patch' && requestURI.includes('fieldManager=kubemend') && !requestURI.includes('dryRun') && responseStatus?.code === 200,
  );

async function incidents(): Promise<Incident[]> {
  const database = openDatabase(databasePath(directory));
  const all = await new SqliteState(database).list();
  database.close();
  return all;
}

describe('a process that dies', () => {
  it('before, in the middle of, and after every single effect: the same end, one write', async () => {
    const limits = { [NAME]: { confirmAfter: '200ms', settleWithin: '500ms', stableFor: '500ms', verifyWithin: '60s' } } as const;
    const remediations = await loadRemediations(limits);
    const died = new Set<string>();
    const told = new Map<string, string>();
    let crashed: () => void = () => undefined;
    const options: LocalOptions = {
      ...{ cluster: 'test', directory, remediations, artifacts: openArtifacts(directory), ownUsers: [] },
      connect: (identity) => plane.connection('admin', `kubemend (${identity})`),
      onProblem: () => undefined,
      onChange: ({ id, state }) => void told.set(id, state),
      async checkpoint(point, { id, kind }) {
        const place = `${kind} ${id} ${point}`;
        if (died.has(place)) return;
        died.add(place);
        crashed();
        // A dead process never comes back from here.
        await new Promise(() => undefined);
      },
    };
    for (;;) {
      const crash = new Promise<'crash'>((resolve) => {
        crashed = () => resolve('crash');
      });
      const run = await startLocal(options);
      const over = new AbortController();
      const outcome = await Promise.race([crash, ended(run, over.signal).then(() => 'ended' as const)]);
      over.abort();
      await run.kill();
      if (outcome === 'ended') break;
      letLeasesRunOut();
    }
    const [incident, ...others] = await incidents();
    expect(incident?.state).toBe('verified');
    expect(others).toEqual([]);
    expect(await stored()).toHaveLength(1);
    expect([...new Set(told.values())].sort()).toEqual(['applied', 'detected', 'executing', 'planned', 'verified']);
    const places = [...died].map((place) => place.split(' ').toSpliced(1, 1).join(' '));
    expect(new Set(places)).toEqual(
      new Set(
        ['examine', 'tell', 'look', 'prepare', 'write'].flatMap((kind) =>
          ['before', 'performed', 'stored'].map((point) => `${kind} ${point}`),
        ),
      ),
    );
    console.log(`died ${died.size} times`);
  }, 300_000);

  it('by SIGKILL, as `kubemend run`, each time something is told', async () => {
    const kubeconfig = join(directory, 'kubeconfig.yaml');
    await writeFile(kubeconfig, kubeconfigOf(plane.server, plane.ca, plane.adminToken));
    const killedAt = new Set<string>();
    const deadline = Date.now() + 240_000;
    let last = '';
    while (last !== 'verified' && Date.now() < deadline) {
      const args = ['bin/kubemend.ts', 'run', '--json', '--state', directory, '--kubeconfig', kubeconfig];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, NODE_OPTIONS: '' } });
      for await (const line of createInterface({ input: child.stdout })) {
        const { state } = JSON.parse(line) as { state?: string };
        // A start that is refused prints its error.
        if (state === undefined) continue;
        last = state;
        if (killedAt.has(last) && last !== 'verified') continue;
        killedAt.add(last);
        child.kill('SIGKILL');
      }
      // The dead process's lease has to run out first: the next start is refused until then.
      await delay(500);
    }
    expect([...killedAt]).toEqual(['detected', 'planned', 'executing', 'applied', 'verified']);
    expect((await incidents()).map(({ state }) => state)).toEqual(['verified']);
    expect(await stored()).toHaveLength(1);
  }, 300_000);
});

/** As time does it: what the dead process held is free. */
function letLeasesRunOut(): void {
  const database = openDatabase(databasePath(directory));
  database.exec("UPDATE leases SET until = 0 WHERE name = 'runner' OR name LIKE 'incident/%'");
  database.close();
}

async function ended({ state }: LocalRun, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const [incident] = await state.list().catch(() => []);
    if (incident && ['verified', 'ineffective', 'failed', 'refused', 'reverted'].includes(incident.state) && incident.effects.length === 0)
      return;
    await delay(50);
  }
}
