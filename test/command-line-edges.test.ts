import { spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readKubeconfig } from '../bin/kubeconfig.ts';
import { UsageError } from '../bin/verb.ts';
import type { Incident } from '../shared/incident.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';

const ROOT = join(import.meta.dirname, '..');
const EVIL = '\u001b[2J\u001b]52;c;ZXZpbA==\u0007\r\n  aaaa00000000  verified \u202edenied\u2028\u009b8m';
/** Those that `paint` is asked for, and nothing else. */
const COLOURS = new RegExp(`${'\u001b'}\\[(1|2|22|3[1-6]|39)m`, 'g');
let directory: string;
let id: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kubemend-edges-'));
  const text = readFileSync(join(ROOT, 'test/fixtures/awaiting-approval.json'), 'utf8');
  for (const [name, incident] of Object.entries({ clean: JSON.parse(text), evil: poisoned(JSON.parse(text)) })) {
    const database = openDatabase(join(directory, name, 'kubemend.sqlite'));
    const state = new SqliteState(database);
    await state.save(incident as Incident, 0);
    id = (incident as Incident).id;
    database.close();
  }
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What others chose in an incident: reasons, names of users and agents, names and values of evidence, advice. */
const OTHERS = ['because', 'reason', 'user', 'userAgent', 'pod', 'says', 'kind', 'fieldManager', 'advice'];
function poisoned(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return OTHERS.includes(name) && !/^(fix|apply|clear|report|wait)$/.test(value) ? `${value}${EVIL}` : value;
  if (Array.isArray(value)) return value.map((inner) => poisoned(inner, name));
  if (typeof value !== 'object' || value === null) return value;
  const inside = (key: string) => (name === 'evidence' ? 'reason' : key);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, poisoned(inner, inside(key))]));
}

interface Ended {
  code: number | null;
  out: string;
  err: string;
}
/** Runs the command line to its end; `stdout` replaces the pipe. */
function kubemend(
  args: string[],
  { env = {}, stdout = 'pipe' as number | 'pipe', program = [process.execPath, join(ROOT, 'bin/kubemend.ts')] } = {},
) {
  const child = spawn(program[0] ?? '', [...program.slice(1), ...args], {
    env: { ...process.env, NODE_OPTIONS: '', USER: 'ada', KUBECONFIG: '', ...env },
    stdio: ['ignore', stdout, 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => (said.out += chunk));
  child.stderr?.on('data', (chunk) => (said.err += chunk));
  return new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...said })));
}

describe('what a cluster says', () => {
  const verbs = [['incidents'], ['explain', 'ID'], ['approve', 'ID'], ['undo', 'ID'], ['explain', 'ID', '--json'], ['incidents', '--json']];
  it.each(verbs.map((args) => [args.join(' '), args] as const))('is only text in the output of %s, also in colour', async (_, args) => {
    const run = (state: string) =>
      kubemend([...args.map((arg) => (arg === 'ID' ? id : arg)), '--state', join(directory, state)], { env: { FORCE_COLOR: '1' } });
    const [clean, evil] = [await run('clean'), await run('evil')];
    const lines = ({ out, err }: Ended) => `${out}${err}`.split('\n').length;
    expect(evil.code).toBe(clean.code);
    expect(lines(evil)).toBe(lines(clean));
    expect(evil.out + evil.err).toContain('aaaa00000000');
    const withoutColours = (evil.out + evil.err).replace(COLOURS, '');
    expect(withoutColours).not.toMatch(/(?![\n\t])[\p{Cc}\u2028-\u202e]/u);
  });
});

describe('output that cannot be written', () => {
  it.each([[['crds', 'list']], [['crds', 'list', '--json']], [['--help']], [['incidents', '--state', '/nonexistent', '--json']]])(
    'ends %j with code 1 and one sentence',
    async (args) => {
      const full = openSync('/dev/full', 'w');
      const { code, err } = await kubemend(args, { stdout: full });
      closeSync(full);
      expect(code).toBe(1);
      expect(err).toMatch(/Standard output cannot be written: ENOSPC[^\n]*\n$/);
      expect(err).not.toMatch(/\n\s+at /);
    },
  );

  it('is known by the launcher when it is closed', async () => {
    const closed = await kubemend([], { program: ['sh', '-c', `exec ${join(ROOT, 'bin/kubemend')} crds list >&-`] });
    expect(closed).toEqual({ code: 1, out: '', err: 'Standard output cannot be written: it is closed\n' });
  });
});

describe('names that every object inherits', () => {
  it.each([
    [['__proto__'], 'There is no verb "__proto__"'],
    [['constructor', '--help'], 'There is no verb "constructor"'],
    [['help', 'toString'], 'There is no verb "toString"'],
    [['scan', '--__proto__'], "Unknown option '--__proto__'"],
    [['scan', '--constructor=x'], "Unknown option '--constructor'"],
    [['scan', '__proto__'], 'There is no remediation "__proto__"'],
    [['mode', 'constructor'], 'There is no remediation "constructor"'],
    [['sandbox', '--scenario', '__proto__'], 'There is no scenario "__proto__"'],
    [['completion', 'constructor'], '"constructor" is no shell'],
  ])('are unknown: %j', async (args, sentence) => {
    const { code, err } = await kubemend(args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(sentence) });
  });

  it('complete to nothing', async () => {
    for (const words of [
      ['__proto__', ''],
      ['constructor', '--'],
      ['scan', '--__proto__', 'z'],
    ])
      expect(await kubemend(['completion', 'words', '--', ...words])).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('a kubeconfig that cannot be used', () => {
  const cluster = '{name: a, cluster: {server: "https://x"}}';
  it.each<[string, string | undefined, RegExp]>([
    ['is empty', '', /is empty/],
    ['is no YAML', 'a: [', /cannot be read/],
    ['is no kubeconfig', '"x"', /is not a kubeconfig: it names no cluster/],
    ['has no context', `clusters: [${cluster}]`, /sets no current context. It has no context at all/],
    [
      'has no current context',
      `clusters: [${cluster}]\ncontexts: [{name: c, context: {cluster: a, user: u}}]`,
      /sets no current context. Name one with --context: c/,
    ],
    [
      'has no such context',
      `clusters: [${cluster}]\ncontexts: [{name: c, context: {cluster: a, user: u}}]\ncurrent-context: d`,
      /has no context "d". Name one with --context: c/,
    ],
    [
      'has no such cluster',
      `clusters: [${cluster}]\ncontexts: [{name: c, context: {cluster: b, user: u}}]\ncurrent-context: c`,
      /names a cluster that is not in it/,
    ],
    ['is a folder', undefined, /cannot be read: EISDIR/],
  ])('%s: it says so', async (_, content, sentence) => {
    const path = content === undefined ? directory : join(directory, 'kubeconfig');
    if (content !== undefined) writeFileSync(path, content);
    const { code, err } = await kubemend(['scan', '--kubeconfig', path]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(sentence) });
    expect(err).not.toMatch(/localhost/);
  });

  it.each([
    ['user', 'as', 'reader'],
    ['user', 'as-groups', ['readers']],
    ['user', 'as-uid', '1'],
    ['user', 'as-user-extra', { reason: ['a'] }],
    ['user', 'username', 'ada'],
    ['user', 'password', 'secret'],
    ['user', 'tokenFile', '/nonexistent'],
    ['cluster', 'proxy-url', 'http://127.0.0.1:1'],
    ['cluster', 'tls-server-name', 'other'],
    ['cluster', 'insecure-skip-tls-verify', true],
    ['cluster', 'a-field-of-the-future', 1],
  ])('sets a field of its %s that kubemend does not support (%s): it is refused', async (kind, field, value) => {
    const path = join(directory, 'fields');
    const [used, other] = ['a', 'b'].map((name) => ({
      cluster: { name, cluster: { server: 'https://127.0.0.1:1', ...(kind === 'cluster' && name === 'a' && { [field]: value }) } },
      user: { name, user: { token: 't', ...(kind === 'user' && name === 'a' && { [field]: value }) } },
      context: { name, context: { cluster: name, user: name } },
    }));
    const parts = [used, other].flatMap((part) => part ?? []);
    const content = {
      clusters: parts.map((one) => one.cluster),
      users: parts.map((one) => one.user),
      contexts: parts.map((one) => one.context),
    };
    writeFileSync(path, JSON.stringify({ ...content, 'current-context': 'a' }));
    expect(await readKubeconfig(path, undefined).catch((error: Error) => error)).toEqual(
      new UsageError(
        `The kubeconfig ${path} sets ${field} for the ${kind} "a", and kubemend does not support this field. Name a context without it with --context`,
      ),
    );
    expect(await readKubeconfig(path, 'b')).toMatchObject({ cluster: 'b' });
  });

  it.each([['scan'], ['run'], ['doctor'], ['export', '--print']])('does not exist: %s says so', async (...args) => {
    const home = { HOME: directory, KUBERNETES_SERVICE_HOST: '' };
    const { code, err } = await kubemend(args, { env: home });
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringContaining(`There is no kubeconfig: ${directory}/.kube/config does not exist`),
    });
    const named = await kubemend(args, { env: { ...home, KUBECONFIG: '/nonexistent' } });
    expect(named).toMatchObject({ code: 2, err: expect.stringContaining('The kubeconfig /nonexistent cannot be read: it does not exist') });
  });

  it('may not be read by this user', async () => {
    const path = join(directory, 'secret');
    writeFileSync(path, 'x');
    chmodSync(path, 0);
    const { code, err } = await kubemend(['scan', '--kubeconfig', path]);
    // root reads everything, and finds no kubeconfig in it.
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(process.getuid?.() === 0 ? /is not a kubeconfig/ : /EACCES/) });
  });

  it('may be several, as in KUBECONFIG of kubectl', async () => {
    const [one, two] = ['one', 'two'].map((name) => join(directory, name));
    writeFileSync(one ?? '', 'contexts: [{name: c, context: {cluster: missing, user: u}}]\ncurrent-context: c\nclusters: []');
    writeFileSync(two ?? '', `clusters: [${cluster}]`);
    const { err } = await kubemend(['scan'], { env: { KUBECONFIG: `${one}:${two}` } });
    expect(err).toMatch(/Context "c" .* names a cluster that is not in it/);
  });
});

describe('crds add --from takes at most 16 MiB', () => {
  const add = (from: string) => kubemend(['crds', 'add', 'strimzi', '0.43.0', '--from', from, '--state', join(directory, 'crds')]);
  it('of a file without an end', async () => {
    expect(await add('/dev/zero')).toMatchObject({ code: 2, err: expect.stringMatching(/cannot be read: it is larger than 16 MiB/) });
  });

  it('of a small file that unpacks to more', async () => {
    const bomb = join(directory, 'bomb.yaml.gz');
    writeFileSync(bomb, gzipSync(Buffer.alloc((16 << 20) + 1)));
    expect(await add(bomb)).toMatchObject({ code: 2, err: expect.stringMatching(/cannot be read: unpacked, it is larger than 16 MiB/) });
  });
});
