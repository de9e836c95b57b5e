import { afterEach, expect, it } from '@jest/globals';
import { openSandbox, type Sandbox } from '../../bin/sandbox.ts';
import { readAuditLog, writesBy } from '../control-plane/audit-log.ts';
import { scenario } from '../scenarios/strimzi-stale-crds.ts';

const NAME = 'strimzi/upgrade-stale-crds';
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkas.kafka.strimzi.io';
const EVENTS = '/apis/events.k8s.io/v1/namespaces/kafka/events';
let sandbox: Sandbox;
afterEach(() => sandbox?.close());

async function until(...states: string[]): Promise<{ id: string; because: string }> {
  const told: string[] = [];
  for await (const { state, incident, because } of sandbox.changes(90_000)) {
    told.push(`${state}: ${because}`);
    if (states.includes(state)) return { id: incident, because };
  }
  throw new Error(`No incident became ${states.join(' or ')}. Told: ${told.join('; ')}`);
}

/** The CRD without what only the server keeps. */
const schemaOf = async () => (await sandbox.admin.get(CRD)).spec;

it('A fix on a real API server is told in Events on its object, taken back by the same writer, and not taken back twice', async () => {
  const limits = { confirmAfter: '500ms', settleWithin: '2s', stableFor: '2s', verifyWithin: '40s' } as const;

  sandbox = await openSandbox({
    ...{ scenario, mode: 'approve', limits: { [NAME]: limits } },
    progress: () => undefined,
    onProblem: () => undefined,
  });
  const waiting = await until('awaiting-approval');
  const before = await schemaOf();
  await sandbox.answer(waiting.id, { kind: 'approve', hash: (await sandbox.state.load(waiting.id))?.plan?.hash ?? '', by: 'ada' });
  const { id } = await until('verified');
  expect(await schemaOf()).not.toEqual(before);

  await sandbox.answer(id, { kind: 'undo', by: 'ada' });
  expect((await until('undone', 'verified')).because).toBe('undone, as ada wanted: the step is written back');
  expect(await schemaOf()).toEqual(before);
  expect(writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:')).toHaveLength(2);

  await sandbox.answer(id, { kind: 'undo', by: 'ada' });
  expect((await sandbox.state.load(id))?.state).toBe('undone');
  const events = await sandbox.admin.list(EVENTS);
  expect(events.map(({ reason, regarding }) => [reason, (regarding as { kind?: string }).kind])).toEqual(
    expect.arrayContaining(
      ['FixPlanned', 'FixAwaitsApproval', 'FixApplied', 'FixVerified', 'FixUndone'].map((reason) => [reason, 'Kafka']),
    ),
  );
}, 120_000);
