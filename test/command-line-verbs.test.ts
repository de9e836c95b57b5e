import { execFile, spawn } from 'node:child_process';
import { appendFile, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeadLetterFile } from '../events/exporter/sink/dead-letters.ts';
import type { Envelope } from '../events/fact.ts';
import type { Incident } from '../shared/incident.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';

const ROOT = join(import.meta.dirname, '..');
const NAME = 'strimzi/upgrade-stale-crds';
const SAMPLE = join(ROOT, 'events/samples/strimzi-stale-crds.json');
let directory: string;
let state: SqliteState;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubemend-verbs-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));
/** A state folder of its own for each test, in which no kubemend runs. */
let folder = 0;
beforeEach(() => {
  folder += 1;
  state = new SqliteState(openDatabase(join(directory, `${folder}`, 'kubemend.sqlite')));
});
const here = (): string => join(directory, `${folder}`);

function kubemend(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const env = { ...process.env, NODE_OPTIONS: '', KUBEMEND_STATE: here(), USER: 'ada', KUBECONFIG: '/nonexistent' };
  const child = spawn(process.execPath, [join(ROOT, 'bin/kubemend.ts'), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

async function incident(over: Partial<Incident> = {}): Promise<Incident> {
  const text = await readFile(join(ROOT, 'test/fixtures/awaiting-approval.json'), 'utf8');
  const made = { ...(JSON.parse(text) as Incident), ...over };
  await state.save(made, 0);
  return made;
}
/** As if a kubemend ran here. */
const somebodyRuns = () => state.lease('runner', 'test', Date.now() + 60_000, Date.now());

describe('a person’s word', () => {
  it('rerun asks again, and opens the next incident after one that ended', async () => {
    const { id } = await incident({ state: 'verified' });
    const { code, out } = await kubemend('rerun', id, '--json');
    expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({ code: 0, taken: true, runs: false, state: 'detected', after: id });
    expect((await state.list()).map(({ ordinal }) => ordinal)).toHaveLength(2);
  });

  it('retry is for an incident that ended; the hint says what else there is', async () => {
    const { id } = await incident();
    expect(await kubemend('retry', id)).toMatchObject({
      code: 1,
      out: expect.stringMatching(/Nothing changed.*\n.*kubemend rerun .*kubemend approve/),
    });
  });

  it('retry opens the next incident with the same plan, approved by this person', async () => {
    const { id, plan } = await incident({ state: 'failed' });
    expect(await kubemend('retry', id)).toMatchObject({
      code: 1,
      out: expect.stringMatching(/the mode is shadow again\. .*kubemend mode/),
    });
    await state.set(`mode/${NAME}`, 'approve');
    expect(await kubemend('retry', id)).toMatchObject({ code: 0, out: expect.stringMatching(/Tried again: incident \w+ is executing/) });
    const next = (await state.list()).find(({ after }) => after === id);
    expect(next).toMatchObject({ plan: { hash: plan?.hash }, approval: { by: 'ada' }, retry: true });
  });

  it('undo is refused where nothing was written', async () => {
    const { id } = await incident();
    expect(await kubemend('undo', id)).toMatchObject({ code: 1, out: expect.stringMatching(/It wrote nothing/) });
  });
});

describe('send', () => {
  it('hands a sample to the kubemend that runs', async () => {
    await somebodyRuns();
    const { code, out } = await kubemend('send', SAMPLE, '--json');
    expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({ code: 0, results: [{ remediation: NAME, handedOver: true }] });
    expect(await state.list({ unfinished: true })).toMatchObject([{ remediation: NAME, state: 'detected' }]);
    expect(JSON.parse((await kubemend('send', SAMPLE, '--json')).out)).toMatchObject({ results: [{ handedOver: true }] });
    expect(await state.list()).toHaveLength(1);
  });

  it('does not hand over what was replayed from an archive, unless told to', async () => {
    await somebodyRuns();
    const replayed = join(here(), 'replayed.json');
    await writeFile(replayed, JSON.stringify({ ...(JSON.parse(await readFile(SAMPLE, 'utf8')) as object), 'replay-name': 'yesterday' }));
    expect(await kubemend('send', replayed)).toMatchObject({
      code: 2,
      out: expect.stringMatching(/archive replay "yesterday": report only/),
      err: expect.stringMatching(/kubeconfig/),
    });
    expect(await state.list()).toEqual([]);
    expect(await kubemend('send', replayed, '--act')).toMatchObject({ code: 0 });
    expect(await state.list()).toHaveLength(1);
  });

  it('takes the bare detail of a fact, and says why nothing matches', async () => {
    await somebodyRuns();
    const file = join(here(), 'facts.ndjson');
    const { detail } = JSON.parse(await readFile(SAMPLE, 'utf8')) as { detail: { phantoms: number } };
    await writeFile(file, `${JSON.stringify({ ...detail, phantoms: 0 })}\n`);
    expect(await kubemend('send', file)).toMatchObject({ code: 1, err: expect.stringMatching(/No rule matches it/) });
    await writeFile(file, `${JSON.stringify(detail)}\n`);
    expect(await kubemend('send', file)).toMatchObject({ code: 0 });
  });

  it.each<[string[], string, string]>([
    [['--act'], '{}', 'No rule matches it'],
    [['--act', '--report'], '{}', 'exclude each other'],
    [[], 'oops', 'line 1: this is no JSON object'],
  ])('with %j of %s is refused in one sentence', async (options, content, sentence) => {
    const file = join(here(), 'x.json');
    await writeFile(file, content);
    const { code, err } = await kubemend('send', file, ...options);
    expect([1, 2]).toContain(code);
    expect(err).toContain(sentence);
  });
});

describe('redrive', () => {
  /** As the exporter writes them; a full file has been put aside. */
  async function deadLetters(file: string, events: unknown[]): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    const letters = new DeadLetterFile({ path: file, now: Date.now, onProblem: () => undefined, most: 10 });
    for (const event of events) await letters.add(event as Envelope, 'MalformedDetail');
  }

  it('hands the dead letters over and keeps those that are not taken, with why', async () => {
    const file = join(here(), 'exporter', 'dead-letters.ndjson');
    const event = JSON.parse(await readFile(SAMPLE, 'utf8')) as object;
    await deadLetters(file, [event, { ...event, 'detail-type': 'Other' }]);
    expect((await readdir(dirname(file))).sort()).toEqual(['dead-letters.ndjson', 'dead-letters.ndjson.1']);
    await appendFile(file, 'not json\n');
    const { code, out } = await kubemend('redrive', '--json');
    expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({
      code: 1,
      sent: 1,
      left: [{ because: expect.stringMatching(/"Other"/) }, { because: 'the line is not JSON' }],
    });
    expect(await state.list({ unfinished: true })).toMatchObject([{ remediation: NAME }]);
    const left = (await readFile(file, 'utf8')).trim().split('\n');
    expect(left.toReversed()).toEqual(['not json', expect.stringMatching(/"because":"Event [^"]+ is \\"Other\\"/)]);
    expect(JSON.parse((await kubemend('redrive', '--json')).out)).toMatchObject({ sent: 0, left: [{}, {}] });
  });

  it('takes up what a redrive that died had put aside', async () => {
    const file = join(here(), 'letters.ndjson');
    await deadLetters(`${file}.redriving`, [JSON.parse(await readFile(SAMPLE, 'utf8'))]);
    expect(await kubemend('redrive', '--file', file, '--json')).toMatchObject({ code: 0, out: expect.stringContaining('"sent":1') });
    expect(JSON.parse((await kubemend('redrive', '--file', file, '--json')).out)).toEqual({
      error: { message: `There are no dead letters at ${file}`, exitCode: 2 },
    });
  });

  it.each([
    ['an empty file', 'it holds no dead letter', (file: string) => writeFile(file, '', { mode: 0o644 })],
    ['a file of text', 'it holds no dead letter', (file: string) => writeFile(file, 'root:x:0:0\n{"fact":{}}\n', { mode: 0o644 })],
    ['a symbolic link', 'it is not a regular file', (file: string) => symlink(SAMPLE, file)],
    ['a pipe', 'it is not a regular file', (file: string) => promisify(execFile)('mkfifo', [file])],
    ['a folder', 'it is not a regular file', (file: string) => mkdir(file)],
  ])('refuses %s and leaves it unchanged', async (_, reason, create) => {
    const file = join(here(), 'precious');
    await create(file);
    // A file beside it that does hold dead letters is not moved either.
    await deadLetters(join(here(), 'letters'), [JSON.parse(await readFile(SAMPLE, 'utf8'))]);
    await rename(join(here(), 'letters'), `${file}.1`);
    const picture = async () => {
      const { ino, mode, size, mtimeMs } = await lstat(file);
      return { ino, mode, size, mtimeMs, names: (await readdir(here())).filter((name) => name.startsWith('precious')).sort() };
    };
    const before = await picture();
    expect(await kubemend('redrive', '--file', file)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`kubemend cannot redrive ${file}: ${reason}. The file is unchanged`),
    });
    expect(await picture()).toEqual(before);
    expect(await state.list({ unfinished: true })).toEqual([]);
  });
});

describe('the rest', () => {
  it('stats counts the incidents of this folder', async () => {
    expect((await kubemend('stats')).out).toBe('No remediation came to a plan yet.\n');
    await incident();
    const { records } = JSON.parse((await kubemend('stats', '--json')).out) as { records: object[] };
    expect(records).toMatchObject([{ remediation: NAME, fired: 1, open: 1, enoughForAuto: false }, { namespace: 'kafka' }]);
    expect((await kubemend('stats')).out).toMatch(/strimzi\/upgrade-stale-crds +1 +0 +0 +0 +1 +not judged/);
  });

  it('capture says what is missing where nothing was recorded', async () => {
    const { id } = await incident();
    expect(await kubemend('capture', id)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/Nothing is recorded in .*: start kubemend run --record/),
    });
  });

  it('bash completes by asking kubemend', async () => {
    const { id } = await incident();
    const script = join(here(), 'completion.bash');
    await writeFile(script, (await kubemend('completion', 'bash')).out);
    const complete = async (...words: string[]): Promise<string[]> => {
      const quoted = [join(ROOT, 'bin/kubemend'), ...words].map((word) => `'${word}'`).join(' ');
      const body = `source ${script}; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _kubemend; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return (await promisify(execFile)('bash', ['-c', body], { cwd: here() })).stdout.trim().split('\n');
    };
    expect(await complete('undo', '--state', here(), id.slice(0, 2))).toEqual([id]);
    expect(await complete('replay', 'compl')).toEqual(['completion.bash']);
  });

  it('kubectl completes its plugin', async () => {
    const ask = async (...words: string[]): Promise<string> =>
      (await promisify(execFile)(join(ROOT, 'bin/kubectl_complete-mend'), words)).stdout;
    expect(await ask('mode', 'strimzi/u')).toBe(`${NAME}\n:4\n`);
    expect(await ask('replay', '')).toBe(':0\n');
  });

  it.each(['zsh', 'fish'])('%s has a script that asks kubemend', async (shell) => {
    expect((await kubemend('completion', shell)).out).toMatch(/completion words -- /);
  });

  it('kubectl mend is the same program wherever it is linked, and brings its own Node', async () => {
    const bin = join(here(), 'bin');
    await mkdir(bin);
    await symlink(join(ROOT, 'bin/kubectl-mend'), join(bin, 'kubectl-mend'));
    // Whatever Node is there, or none.
    const env = { PATH: `${bin}${delimiter}/usr/bin${delimiter}/bin`, KUBEMEND_STATE: here() };
    const { stdout } = await promisify(execFile)('kubectl-mend', ['retry', '--help'], { env });
    expect(stdout).toMatch(/Examples:\n {2}kubectl mend retry /);
  });
});
