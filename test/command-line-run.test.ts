import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import { loopbackCertificate } from './loopback-certificate.ts';
import { DEAD_CLUSTER, startKubemend } from './start-kubemend.ts';

let directory: string;
let taken: Server;
let files: Record<'config' | 'cert' | 'key' | 'other', string>;
const running = new Set<ReturnType<typeof startKubemend>>();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubemend-cli-run-'));
  const names = ['config', 'cert', 'key', 'other'].map((name) => [name, join(directory, name)]);
  files = Object.fromEntries(names);
  const [pair, other] = [await loopbackCertificate('a'), await loopbackCertificate('b')];
  await Promise.all([
    writeFile(files.config, DEAD_CLUSTER),
    writeFile(files.cert, pair.cert),
    writeFile(files.key, pair.key),
    writeFile(files.other, other.key),
  ]);
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const child of running) {
    child.end('SIGKILL');
    await child.code;
  }
  running.clear();
  await new Promise((resolve) => taken.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

const state = () => join(directory, 'state');
function start(...args: string[]) {
  const child = startKubemend(process.env, state(), ...args, '--kubeconfig', files.config);
  running.add(child);
  return child;
}
const port = () => `127.0.0.1:${(taken.address() as AddressInfo).port}`;

describe('a start that fails ends with one sentence and exit code 2, and releases everything', () => {
  it.each<[string, () => string[], RegExp]>([
    [
      'run, whose audit port is in use',
      () => ['run', '--audit-listen', port(), '--audit-cert', files.cert, '--audit-key', files.key],
      /^The audit webhook cannot listen: .*EADDRINUSE.* Choose another address with --audit-listen$/,
    ],
    [
      'run, whose certificate is none',
      () => ['run', '--audit-listen', '127.0.0.1:0', '--audit-cert', files.config, '--audit-key', files.key],
      /config, .*key: no TLS certificate with its key \(PEM\)/,
    ],
    [
      'run, whose key belongs to another certificate',
      () => ['run', '--audit-listen', '127.0.0.1:0', '--audit-cert', files.cert, '--audit-key', files.other],
      /no TLS certificate with its key \(PEM\): .*mismatch/,
    ],
    ['run, with a retention that is too short', () => ['run', '--retention', '6d'], /^--retention must be at least 7d, got 6d$/],
    [
      'run, with a retention that is no duration',
      () => ['run', '--retention', 'long'],
      /^--retention must be a duration such as 90d, got long$/,
    ],
    [
      'export, whose audit port is in use',
      () => ['export', '--print', '--audit-listen', port(), '--audit-cert', files.cert, '--audit-key', files.key, '--data', state()],
      /^The exporter cannot listen: .*EADDRINUSE/,
    ],
    [
      'export, whose metrics port is in use',
      () => ['export', '--print', '--metrics-port', port(), '--data', state()],
      /^The exporter cannot listen: .*EADDRINUSE/,
    ],
    [
      'export, whose certificate is none',
      () => ['export', '--print', '--audit-listen', '127.0.0.1:0', '--audit-cert', files.config, '--audit-key', files.key],
      /no TLS certificate with its key \(PEM\)/,
    ],
  ])('%s', async (_, args, sentence) => {
    const child = start(...args());
    // It ends by itself: what still ran would hold it.
    expect(await child.code).toBe(2);
    expect(child.said.err.trim().split('\n').at(-1)).toMatch(sentence);
    expect(child.said.err).not.toMatch(/^\s+at /m);
    if (args()[0] !== 'run') return;
    const next = start('run');
    await next.says('One process imitates AWS');
    next.end('SIGTERM');
    expect(await next.code).toBe(0);
  });
});

it('A run that was stopped while another process took over ends with one sentence, and leaves the lease to the other', async () => {
  const child = start('run');
  await child.says('One process imitates AWS');
  child.end('SIGSTOP');
  const database = openDatabase(join(state(), 'kubemend.sqlite'));
  // As the other process does it once the lease ran out; here it needs not run out first.
  database.prepare("UPDATE leases SET owner = 'other', until = ? WHERE name = 'runner'").run(Date.now() + 300_000);
  child.end('SIGCONT');
  expect(await child.code).toBe(1);
  expect(child.said.err).toMatch(/Another kubemend took over .* It did nothing since then, and ends\.\n$/);
  expect(await new SqliteState(database).isLeased('runner', Date.now())).toBe(true);
  database.close();
});
