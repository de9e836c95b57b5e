import { spawn } from 'node:child_process';
import { join } from 'node:path';
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

/** A verb about an incident of the sandbox, as JSON with its exit code. */
async function kubemend(verb: string, id: string): Promise<object> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../bin/kubemend.ts'), verb, id, '--json', '--state', sandbox.directory],
    {
      env: { ...process.env, NODE_OPTIONS: '', USER: 'ada' },
    },
  );
  let out = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, ...(JSON.parse(out) as object) };
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

  // As a person does it: another process, which waits for the kubemend that runs.
  expect(await kubemend('undo', id)).toMatchObject({
    code: 0,
    taken: true,
    runs: true,
    state: 'undone',
    undo: { written: [{ how: 'wrote' }] },
  });
  expect(await schemaOf()).toEqual(before);
  expect(writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:')).toHaveLength(2);
  expect(await kubemend('undo', id)).toMatchObject({ code: 1, taken: false, state: 'undone' });

  // The CRD was just changed, so the plan holds no more; a new look says so too, and writes nothing either.
  const because = expect.stringMatching(/holds no more: the answer is now wait \(the CRD was changed less than 2 minutes ago/);
  expect(await kubemend('retry', id)).toMatchObject({ code: 1, state: 'refused', after: id, because });
  expect(await kubemend('rerun', id)).toMatchObject({
    code: 0,
    state: 'waiting',
    because: expect.stringMatching(/changed less than 2 minutes ago/),
  });
  expect(writesBy(await readAuditLog(sandbox.auditLog), 'kubemend:')).toHaveLength(2);

  const events = await sandbox.admin.list(EVENTS);
  expect(events.map(({ reason, regarding }) => [reason, (regarding as { kind?: string }).kind])).toEqual(
    expect.arrayContaining(
      ['FixPlanned', 'FixAwaitsApproval', 'FixApplied', 'FixVerified', 'FixUndone'].map((reason) => [reason, 'Kafka']),
    ),
  );
}, 120_000);
