import { afterEach, describe, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import { identityOf } from '../../infra/kubernetes/rbac.ts';
import type { Incident } from '../../shared/incident.ts';
import type { Doc } from '../control-plane/admin.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { CLUSTER, PATHS, seedCaCluster, TRUSTED } from '../scenarios/strimzi/ca-cluster.ts';
import { FakeCaOperator } from '../scenarios/strimzi/ca-roll.ts';
import { startKubelet } from '../scenarios/strimzi/kubelet.ts';
import { scenario as caRoll } from '../scenarios/strimzi-ca-roll.ts';

const NAME = 'strimzi/resume-ca-roll';
const KEY = `${PATHS.secrets}/${CLUSTER}-cluster-ca`;
const problems: string[] = [];
const told: string[] = [];
let sandbox: Sandbox;
let operators: FakeCaOperator[];
let next: (options?: { diesAfter?: number; atPoint?: 'deleted' | 'ready' }) => FakeCaOperator;

/** The same cluster; the test says when the key is replaced and when an operator lives. */
const seeded = (version: '0.43.0' | '0.45.0'): Scenario => ({
  ...caRoll,
  async start({ admin, connection }) {
    const identity = await seedCaCluster(admin, connection, version);
    const kubelet = startKubelet(admin);
    operators = [];
    next = ({ diesAfter = Number.POSITIVE_INFINITY, atPoint = 'ready' } = {}) => {
      let restarts = 0;
      const operator = new FakeCaOperator({
        ...{ connection: identity, version, identity: `operator-${operators.length}` },
        onRestart(_, point) {
          if (point === atPoint && ++restarts === diesAfter) operator.kill();
        },
      });
      operators.push(operator);
      operator.start();
      return operator;
    };
    return {
      async stop() {
        await Promise.all(operators.map((operator) => operator.stop()));
        await kubelet.stop();
      },
    };
  },
});

async function play(
  mode: string,
  version: '0.43.0' | '0.45.0' = '0.43.0',
  checkpoint?: Parameters<typeof openSandbox>[0]['checkpoint'],
): Promise<void> {
  problems.length = 0;
  told.length = 0;
  sandbox = await openSandbox({
    ...{ scenario: seeded(version), mode, progress: () => undefined, onProblem: (problem) => problems.push(problem) },
    limits: { [NAME]: { confirmAfter: '500ms', stableFor: '1s', verifyWithin: '60s' } },
    ...(checkpoint && { checkpoint }),
  });
}

/** Follows what is told until an incident is in one of the states, or says what is awaited. */
async function until(wanted: string | RegExp, limit = 60_000): Promise<Incident> {
  for await (const { state, incident, because } of sandbox.changes(limit)) {
    told.push(`${state}: ${because}`);
    if (typeof wanted === 'string' ? state === wanted : wanted.test(because)) return (await sandbox.state.load(incident)) as Incident;
  }
  const errors = operators.map(({ lastError }) => lastError).join('; ');
  throw new Error(
    `Nothing became ${wanted}. Told: ${told.join('; ') || 'nothing'}. Problems: ${problems.join('; ')}. Operators: ${errors}`,
  );
}

const replaceKey = (): Promise<Doc> =>
  sandbox.admin.patch(KEY, 'merge', { metadata: { annotations: { 'strimzi.io/force-replace': 'true' } } });
const ownWrites = async () => writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:', { dryRuns: true });
const pods = (): Promise<Doc[]> => sandbox.admin.list(PATHS.pods);
const countOf = ({ restarts }: FakeCaOperator) => {
  const of = (wanted: string): number => restarts.filter(({ reason }) => reason === wanted).length;
  return { trust: of('ClusterCaCertKeyReplaced'), present: of('CaCertHasOldGeneration'), forget: of('CaCertRemoved') };
};
/** Resolves when the operator has finished all it has to do. */
async function finished(operator: FakeCaOperator): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (countOf(operator).forget < 3) {
    if (Date.now() > deadline) throw new Error(`It did not finish: ${JSON.stringify(countOf(operator))}, ${operator.lastError}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

afterEach(() => sandbox?.close());

describe('the interrupted CA roll of Strimzi #10710, on a real API server', () => {
  it('is marked as done, and the next operator restarts no pod for it again', async () => {
    await play('auto');
    const first = next({ diesAfter: 3 });
    await replaceKey();
    await until('planned');
    expect(countOf(first)).toEqual({ trust: 3, present: 0, forget: 0 });
    const before = new Map((await pods()).map(({ metadata }) => [metadata.name, metadata]));
    await until('applied');
    for (const { metadata } of await pods()) {
      expect(metadata.uid).toBe(before.get(metadata.name)?.uid);
      expect(metadata.annotations).toEqual({ ...before.get(metadata.name)?.annotations, [TRUSTED]: '1' });
    }
    const second = next();
    await until('verified');
    await finished(second);
    expect(countOf(second)).toEqual({ trust: 0, present: 3, forget: 3 });
    const writes = (await ownWrites()).filter(({ requestURI }) => !requestURI.includes('dryRun=All'));
    expect(
      writes.map(({ verb, user, requestURI, responseStatus }) => [verb, user.username, requestURI.split('?')[0], responseStatus?.code]),
    ).toEqual(
      [PATHS.podSet, ...[0, 1, 2].map((id) => `${PATHS.pods}/${CLUSTER}-dual-${id}`)].map((path) => ['patch', identityOf(NAME), path, 200]),
    );
    expect(problems).toEqual([]);
  }, 120_000);

  it('would be rolled a second time without that: the same operator, in shadow mode', async () => {
    await play('shadow');
    next({ diesAfter: 3 });
    await replaceKey();
    await until('shadowed');
    const second = next();
    await finished(second);
    expect(countOf(second)).toEqual({ trust: 3, present: 3, forget: 3 });
    expect(await ownWrites()).toEqual([]);
  }, 120_000);

  it('is nothing to 0.45.0, which continues by itself', async () => {
    await play('auto', '0.45.0');
    next({ diesAfter: 1 });
    await replaceKey();
    await until('cleared');
    const second = next();
    await finished(second);
    expect(countOf(second)).toEqual({ trust: 2, present: 3, forget: 3 });
    expect(await ownWrites()).toEqual([]);
  }, 120_000);

  it('is left alone when nothing interrupts it', async () => {
    await play('auto');
    const operator = next();
    await replaceKey();
    await until('cleared');
    await finished(operator);
    expect(countOf(operator)).toEqual({ trust: 3, present: 3, forget: 3 });
    expect(await ownWrites()).toEqual([]);
  }, 120_000);

  it.each<[string, { diesAfter: number; atPoint?: 'deleted' | 'ready' }, RegExp]>([
    ['one pod was not rolled', { diesAfter: 2 }, /-dual-2 was created at .* not been rolled$/],
    ['the operator died between a delete and the new pod', { diesAfter: 3, atPoint: 'deleted' }, /dual-2 is not there/],
  ])(
    'gets no write when %s',
    async (_, dies, because) => {
      await play('auto');
      next(dies);
      await replaceKey();
      await until(because);
      // Long enough for a write: every other pod is Ready for 10 s by then.
      await new Promise((resolve) => setTimeout(resolve, 14_000));
      const [incident] = await sandbox.state.list();
      expect(incident?.state).toBe('waiting');
      expect(incident?.because).toMatch(because);
      expect(await ownWrites()).toEqual([]);
    },
    120_000,
  );

  it('gets no write when a pod was restarted 1 s too early', async () => {
    await play('auto');
    await sandbox.admin.delete(`${PATHS.pods}/${CLUSTER}-dual-2`);
    next({ diesAfter: 2 });
    await sandbox.admin.until(`${PATHS.pods}/${CLUSTER}-dual-2`, ({ status }) => status?.phase === 'Running');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await replaceKey();
    await until(/^roll 1 was interrupted.*: my-cluster-dual-2 was created at [^;]*not been rolled$/);
    expect(await ownWrites()).toEqual([]);
  }, 120_000);

  it('gets no write when the operator was stopped properly: a released lease says nothing of a crash', async () => {
    await play('auto');
    const operator = next({ diesAfter: Number.POSITIVE_INFINITY });
    await replaceKey();
    await until(/is under way/);
    await operator.stop();
    await until(/was stopped properly/);
    expect(await ownWrites()).toEqual([]);
  }, 120_000);

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'the key was replaced again between plan and write',
      () => sandbox.admin.patch(KEY, 'merge', { metadata: { annotations: { 'strimzi.io/ca-key-generation': '2' } } }),
      /nothing was written.*generation 2/,
    ],
    ['a new leader came between plan and write', async () => leaderCame(next()), /nothing was written.*has a leader/],
  ])(
    'gets no write when %s',
    async (_, mutate, because) => {
      let mutated = false;
      await play('auto', '0.43.0', async (point, effect) => {
        if (point !== 'before' || effect.kind !== 'prepare' || mutated) return;
        mutated = true;
        await mutate();
      });
      next({ diesAfter: 3 });
      await replaceKey();
      await until('executing');
      const deadline = Date.now() + 20_000;
      let history = '';
      while (!because.test(history) && Date.now() < deadline) {
        const [incident] = await sandbox.state.list();
        history = incident?.history.map((entry) => entry.because).join('\n') ?? '';
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(history).toMatch(because);
      expect(await ownWrites()).toEqual([]);
    },
    120_000,
  );
});

async function leaderCame(_: FakeCaOperator): Promise<void> {
  await sandbox.admin.until(`${PATHS.leases}/strimzi-cluster-operator`, ({ spec }) => spec?.holderIdentity === 'operator-1');
}
