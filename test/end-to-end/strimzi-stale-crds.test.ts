import { afterEach, describe, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { liveValues } from '../../shared/evidence.ts';
import { openBreaker } from '../../shared/guards.ts';
import type { Incident } from '../../shared/incident.ts';
import type { Limits } from '../../shared/remediation.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { operatorConnection, parseCrds, readCrds, seedStaleCrds } from '../scenarios/strimzi/cluster.ts';
import { FakeStrimziOperator } from '../scenarios/strimzi/operator.ts';
import { scenario as staleCrds } from '../scenarios/strimzi-stale-crds.ts';

const NAME = 'strimzi/upgrade-stale-crds';
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkas.kafka.strimzi.io';
const KAFKA = '/apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkas/my-cluster';
const FAST: Partial<Limits> = { confirmAfter: '500ms', settleWithin: '2s', stableFor: '2s', verifyWithin: '40s' };
const problems: string[] = [];
let sandbox: Sandbox;

async function play(
  mode: string,
  options: { scenario?: Scenario; limits?: Partial<Limits>; checkpoint?: Parameters<typeof openSandbox>[0]['checkpoint'] } = {},
) {
  const { scenario = staleCrds, limits = {}, checkpoint } = options;
  problems.length = 0;
  sandbox = await openSandbox({
    ...{ scenario, mode, progress: () => undefined, onProblem: (problem) => problems.push(problem) },
    limits: { [NAME]: { ...FAST, ...limits } },
    ...(checkpoint && { checkpoint }),
  });
}

/** Follows what is told until an incident is in one of the states. */
async function until(...states: string[]): Promise<Incident> {
  const told: string[] = [];
  for await (const { state, incident, because } of sandbox.changes(90_000)) {
    told.push(`${state}: ${because}`);
    if (states.includes(state)) return (await sandbox.state.load(incident)) as Incident;
  }
  throw new Error(`No incident became ${states.join(' or ')}. Told: ${told.join('; ') || 'nothing'}. Problems: ${problems.join('; ')}`);
}

const ownWrites = async (dryRuns = false) => writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:', { dryRuns });

afterEach(() => sandbox?.close());

describe('the status write storm of Strimzi #10576, on a real API server', () => {
  it('is found, planned, approved, fixed by one write and verified; the operator stops by itself', async () => {
    await play('approve');
    const waiting = await until('awaiting-approval');
    expect(await ownWrites(true)).toEqual([]);
    expect(liveValues(waiting.plan?.evidence ?? {})).toMatchObject({ operator: '0.43.0', missing: ['registeredNodeIds'] });
    const changes = waiting.plan?.changes?.[0] ?? [];
    expect(changes).toContain('+ spec.versions[v1beta2].schema.status.registeredNodeIds');
    // What the API server adds by itself is nothing that would be removed.
    expect(changes.filter((line) => line.startsWith('-') && !line.includes('.required['))).toEqual([]);
    expect('actors' in waiting.fact && waiting.fact.actors).toContainEqual(
      expect.objectContaining({
        user: 'system:serviceaccount:strimzi:strimzi-cluster-operator',
        userAgent: 'strimzi-cluster-operator/0.43.0',
        verbs: ['update'],
      }),
    );

    await sandbox.answer(waiting.id, { kind: 'approve', hash: 'something else', by: 'eve' });
    await sandbox.answer(waiting.id, { kind: 'approve', hash: waiting.plan?.hash ?? '', by: 'ada' });
    const verified = await until('verified');
    expect(verified.approval?.by).toBe('ada');
    expect(await ownWrites()).toEqual([
      expect.objectContaining({
        verb: 'patch',
        user: expect.objectContaining({ username: 'kubemend:strimzi:upgrade-stale-crds' }),
        requestURI: `${CRD}?fieldManager=kubemend&timeout=15s&force=true`,
        responseStatus: expect.objectContaining({ code: 200 }),
      }),
    ]);
    expect((await sandbox.admin.get(KAFKA)).status).toHaveProperty('registeredNodeIds');
    const log = await readAuditLog(sandbox.auditLog);
    const { settledAt = 0 } = verified.verification ?? {};
    expect(log.filter((line) => staleCrds.isSymptom(line) && Date.parse(line.stageTimestamp) > settledAt)).toEqual([]);
    expect(verified.execution?.steps[0]?.backup?.artifact).toMatch(/^backups\//);
    expect(problems).toEqual([]);
  }, 120_000);

  it('is only planned in shadow mode: no write request at all, not even a dry run', async () => {
    await play('shadow');
    await until('shadowed');
    expect(await ownWrites(true)).toEqual([]);
  }, 120_000);

  it('ends ineffective, counted and with the breaker open when the CRD is applied and the storm goes on', async () => {
    const stubborn: Scenario = {
      ...staleCrds,
      async start({ admin, connection }) {
        await seedStaleCrds(admin, { crds: await readCrds('0.41.0') });
        const operator = new FakeStrimziOperator({
          connection: await operatorConnection(admin, connection),
          version: '0.43.0',
          stubborn: true,
        });
        operator.start();
        return operator;
      },
    };
    await play('auto', {
      scenario: stubborn,
      limits: { breakers: { object: 1, remediation: 9, overall: 9 }, stableFor: '60s', verifyWithin: '80s' },
    });
    const ended = await until('ineffective', 'verified');
    expect({ state: ended.state, because: ended.because }).toEqual({
      state: 'ineffective',
      because: expect.stringContaining('the failure goes on'),
    });
    expect(await ownWrites()).toHaveLength(1);
    const [remediation] = (await loadRemediations({ [NAME]: { breakers: { object: 1, remediation: 9, overall: 9 } } })).filter(
      ({ name }) => name === NAME,
    );
    expect(await openBreaker(sandbox.state, ended, remediation as NonNullable<typeof remediation>)).toMatch(
      /breaker of this object is open/,
    );
  }, 180_000);

  it.each<[string, 'examine' | 'prepare' | 'write', () => Promise<unknown>, RegExp]>([
    [
      'the CRD was replaced by somebody before it was confirmed',
      'examine',
      () => applyCrd('0.43.0'),
      /keeps every field|changed less than/,
    ],
    ['the Kafka was deleted before it was confirmed', 'examine', () => sandbox.admin.delete(KAFKA), /gone/],
    ['the CRD was replaced by somebody after it was confirmed', 'prepare', () => applyCrd('0.43.0'), /keeps every field|was replaced/],
    [
      'another operator was deployed after it was confirmed',
      'prepare',
      () => deployAnother(),
      /more than one Strimzi operator is deployed/,
    ],
    [
      'Argo CD took the CRD over after it was confirmed',
      'prepare',
      () => label({ 'argocd.argoproj.io/instance': 'strimzi' }),
      /belongs to Argo CD/,
    ],
    ['kubemend was paused after it was confirmed', 'prepare', () => sandbox.state.set('paused', 'ada'), /paused/],
    ['the mode went back to shadow after it was confirmed', 'prepare', () => sandbox.state.set(`mode/${NAME}`, 'shadow'), /shadow/],
    [
      'the CRD was touched between the third question and the write',
      'write',
      () => label({ touched: 'true' }),
      /changed after it was read/,
    ],
  ])(
    'writes nothing when %s',
    async (_, before, mutate, because) => {
      let mutated = false;
      await play('auto', {
        limits: { confirmAfter: '1s' },
        async checkpoint(point, effect) {
          const isHere = effect.kind === before && (effect.kind !== 'examine' || effect.question === 'confirm');
          if (point !== 'before' || !isHere || mutated) return;
          mutated = true;
          await mutate();
        },
      });
      const told: string[] = [];
      for await (const change of sandbox.changes(60_000)) {
        if (mutated && because.test(change.because)) break;
        told.push(change.because);
        if (['applied', 'verified'].includes(change.state)) throw new Error(`It was written all the same: ${told.join('; ')}`);
      }
      const [incident] = await sandbox.state.list();
      expect(incident?.history.map((entry) => entry.because).join('\n')).toMatch(because);
      expect(await ownWrites()).toEqual([]);
    },
    120_000,
  );
});

async function applyCrd(version: string): Promise<void> {
  const crd = parseCrds(await readCrds(version)).find(({ metadata }) => metadata?.name === 'kafkas.kafka.strimzi.io');
  await sandbox.admin.applyCrd(crd as NonNullable<typeof crd>);
}

const label = (labels: Record<string, string>): Promise<unknown> =>
  sandbox.admin.patch(`${CRD}?fieldManager=somebody`, 'merge', { metadata: { labels } });

const deployAnother = (): Promise<unknown> =>
  sandbox.admin.create('/apis/apps/v1/namespaces/kafka/deployments', {
    metadata: { name: 'another-operator', labels: { app: 'strimzi' } },
    spec: {
      selector: { matchLabels: { name: 'x' } },
      template: { metadata: { labels: { name: 'x' } }, spec: { containers: [{ name: 'x', image: 'quay.io/strimzi/operator:0.42.0' }] } },
    },
  });
