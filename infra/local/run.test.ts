import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { complete } from '../../shared/remediation.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { FENCED } from '../../shared/state/sqlite-fence.ts';
import { loopbackCertificate } from '../../test/loopback-certificate.ts';
import { mendWidgets } from '../../test/toy-remediation.ts';
import { memoryArtifacts, START } from '../../test/toy-world.ts';
import { type LocalOptions, startLocal } from './run.ts';
import { RUNNER } from './runner-lease.ts';

const NAME = 'example/mend-widgets';
const LEASE_MS = 600;
let pair: { cert: string; key: string };
let api: HttpsServer;
let requests: string[];
let directory: string;
let problems: string[];
let closers: (() => unknown)[];

beforeAll(async () => {
  pair = await loopbackCertificate('api');
});
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kubemend-run-'));
  [requests, problems, closers] = [[], [], []];
  // Enough of an API server: it has nothing, and takes nothing.
  api = createHttpsServer(pair, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"not found"}');
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  api.closeAllConnections();
  await new Promise((resolve) => api.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

const options = (over: Partial<LocalOptions> = {}): LocalOptions => ({
  ...{ cluster: 'toy', directory, ownUsers: [], artifacts: memoryArtifacts(), leaseFor: LEASE_MS },
  remediations: [complete(NAME, mendWidgets({}), {})],
  connect: (identity) => ({
    server: `https://127.0.0.1:${(api.address() as AddressInfo).port}`,
    ca: pair.cert,
    userAgent: `kubemend (${identity})`,
  }),
  onProblem: (problem) => problems.push(problem),
  ...over,
});

async function start(over: Partial<LocalOptions> = {}) {
  const run = await startLocal(options(over));
  closers.push(() => run.stop());
  return run;
}

/** Another process on the same state directory. */
function otherProcess() {
  const database = openDatabase(join(directory, 'kubemend.sqlite'));
  closers.push(() => database.isOpen && database.close());
  return { database, state: new SqliteState(database) };
}

const fact = (id: string) => ({
  ...{ id, cluster: 'toy', observedAt: new Date(START).toISOString(), coverage: { sources: ['watch' as const], gap: false, dropped: 0 } },
  object: { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: id, uid: id },
  ...{ change: 'modified' as const, changed: ['/spec/color'], phantom: false },
});

/** Waits for a condition; the test's own deadline is the only one. */
async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await delay(10);
}

describe('a start that fails', () => {
  const failures: [string, (port: number) => Partial<LocalOptions>, RegExp][] = [
    ['the audit port is in use', (port) => ({ auditWebhook: { host: '127.0.0.1', port, ...pair } }), /EADDRINUSE/],
    ['the certificate is none', (port) => ({ auditWebhook: { host: '127.0.0.1', port, cert: 'none', key: 'none' } }), /PEM/i],
    [
      'the port for clicks in Slack is in use',
      (port) => ({
        slack: {
          ...{ token: async () => 'x', channel: 'C1', api: 'http://127.0.0.1:1' },
          answers: { signingSecret: async () => 'x', approvers: [], host: '127.0.0.1', port },
        },
      }),
      /EADDRINUSE/,
    ],
  ];
  it.each(failures)('releases everything, so that the next start succeeds at once: %s', async (_, over, says) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => taken.close(resolve)));
    const { state } = otherProcess();
    // A lease that nobody would wait for: whoever is let in afterwards was let in by the release.
    await expect(startLocal(options({ ...over((taken.address() as AddressInfo).port), leaseFor: 300_000 }))).rejects.toThrow(says);
    expect(await state.isLeased('runner', Date.now())).toBe(false);
    const before = requests.length;
    await delay(50);
    expect(requests).toHaveLength(before);
    const run = await start({ leaseFor: 300_000 });
    await until(() => run.exporter.ready());
    expect(problems.filter((problem) => problem.startsWith('Stopping '))).toEqual([]);
  });
});

describe('a process that lost its lease', () => {
  it('sends nothing and stores nothing from its first instruction on, and learns who took over', async () => {
    const clock = { ahead: 0 };
    const run = await start({ leaseFor: 300_000, monotonic: () => performance.now() + clock.ahead });
    await run.engine.fact(NAME, fact('before'));
    expect(requests).toContain('GET /apis/example.com/v1/namespaces/shop/widgets/a');
    // As after SIGSTOP: the clock went on, and no timer of this process ran.
    clock.ahead = 300_000;
    const before = requests.filter((request) => request.includes('/shop/')).length;
    await expect(run.engine.fact(NAME, fact('stopped'))).rejects.toThrow(/lease of the state directory .* ended/);
    const { state } = otherProcess();
    expect(await state.lease('runner', 'other', Date.now() + 7_200_000, Date.now() + 3_600_001)).toBe(true);
    await expect(run.state.set('paused', 'by the old owner')).rejects.toThrow(FENCED);
    await expect(run.schedule.put({ incident: 'x', token: 1, at: 1 })).rejects.toThrow(FENCED);
    await expect(run.engine.fact(NAME, fact('taken'))).rejects.toThrow(/lease/);
    expect(requests.filter((request) => request.includes('/shop/'))).toHaveLength(before);
    expect((await state.list()).map(({ object }) => object.name)).toEqual(['before']);
  });

  it('is told to end', async () => {
    const run = await start();
    const { state, database } = otherProcess();
    database.prepare("UPDATE leases SET owner = 'other', until = ? WHERE name = 'runner'").run(Date.now() + 300_000);
    expect(await run.lost).toMatch(/^Another kubemend took over .* while this one was stopped or could not renew its lease$/);
    await run.stop();
    closers.splice(0, 1);
    expect(await state.isLeased('runner', Date.now())).toBe(true);
  });
});

it('A process whose state folder is removed while another starts in its place does not act, and is to end', async () => {
  const run = await start();
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
  const second = await start();
  expect(await run.lost).toMatch(/^The state database in .* was removed or replaced while this kubemend ran$/);
  await run.stop();
  const { database } = otherProcess();
  expect(database.prepare('SELECT name FROM leases').all()).toContainEqual({ name: RUNNER });
  await second.stop();
});

it('A database that is locked for longer than the lease is waited for: nothing is done meanwhile, and it goes on afterwards', async () => {
  const rejections: unknown[] = [];
  const onRejection = (error: unknown): void => void rejections.push(error);
  process.on('unhandledRejection', onRejection);
  closers.push(() => process.off('unhandledRejection', onRejection));
  const run = await start();
  const { database, state } = otherProcess();
  database.exec('BEGIN IMMEDIATE');
  await until(() => problems.some((problem) => problem.includes('cannot be written, so kubemend stops acting until it can')));
  const before = requests.filter((request) => request.includes('/shop/')).length;
  await until(() =>
    run.engine.fact(NAME, fact('during')).then(
      () => false,
      (error: Error) => /lease/.test(error.message),
    ),
  );
  expect(requests.filter((request) => request.includes('/shop/'))).toHaveLength(before);
  database.exec('ROLLBACK');
  await until(() =>
    run.engine.fact(NAME, fact('after')).then(
      () => true,
      () => false,
    ),
  );
  expect((await state.list()).map(({ object }) => object.name)).toContain('after');
  expect(rejections).toEqual([]);
});
