import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../shared/clock.ts';
import type { Incident } from '../shared/incident.ts';
import { SqliteSchedule } from '../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import { DEAD_CLUSTER, startKubemend } from './start-kubemend.ts';

const ROOT = join(import.meta.dirname, '..');
const STORM = join(ROOT, 'test/incidents/strimzi-storm-start');
const NAME = 'strimzi/upgrade-stale-crds';
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubemend-cli-'));
  openDatabase(join(directory, 'kubemend.sqlite')).close();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const start = (...args: string[]) => startKubemend(process.env, directory, ...args);

/** Runs it to its end. */
async function kubemend(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { code, said } = start(...args);
  return { code: await code, ...said };
}

/** An incident as a run leaves it, made by replaying the recording and storing what came of it. */
async function incidentAwaiting(): Promise<Incident> {
  const { out } = await kubemend('replay', STORM, '--json');
  const [found] = (JSON.parse(out) as { incidents: { remediation: string; id: string }[] }).incidents.filter(
    ({ remediation }) => remediation === NAME,
  );
  const text = await readFile(join(ROOT, 'test/fixtures/awaiting-approval.json'), 'utf8');
  const incident = { ...(JSON.parse(text) as Incident), id: found?.id ?? '' };
  const plan = incident.plan && { ...incident.plan, expiresAt: Date.now() + 600_000 };
  const database = openDatabase(join(directory, 'kubemend.sqlite'));
  new SqliteSchedule(database, systemClock, () => undefined);
  await new SqliteState(database).save({ ...incident, plan }, 0);
  database.close();
  return { ...incident, plan };
}

describe('the command line', () => {
  it('overviews its verbs, and each explains itself with an example', async () => {
    const { out, code } = await kubemend('--help');
    expect(code).toBe(0);
    const verbs = [...out.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, verb]) => verb ?? '');
    expect(verbs).toEqual(
      expect.arrayContaining(['sandbox', 'run', 'incidents', 'explain', 'approve', 'reject', 'mode', 'pause', 'resume', 'replay', 'crds']),
    );
    for (const help of await Promise.all(verbs.map((verb) => kubemend(verb, '--help')))) {
      expect(help).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/Examples:\n {2}(kubemend|npm start)/) });
    }
  });

  it.each<[string[], string]>([
    [['mend'], 'There is no verb "mend"'],
    [['replay'], 'Usage: kubemend replay DIR'],
    [['replay', '/nonexistent'], '/nonexistent is no folder'],
    [['replay', '.', '--colour'], "Unknown option '--colour'"],
    [['explain', 'ffff'], 'There is no incident "ffff"'],
    [['mode', 'strimzi/nothing'], 'There is no remediation "strimzi/nothing"'],
    [['mode', NAME, 'yolo'], '"yolo" is no mode: shadow, approve or auto'],
    [['pause', 'nothing'], 'There is no remediation "nothing"'],
    [['sandbox', '--scenario', 'nothing'], 'There is no scenario "nothing"; there are:'],
    [['crds', 'add', 'strimzi', 'new', '--from', 'x'], '"new" is no version'],
    [['crds', 'add', 'strimzi', '0.43.9', '--from', '/nonexistent.yaml'], '/nonexistent.yaml cannot be read'],
    [['run', '--kubeconfig', '/nonexistent'], 'cannot be read'],
    [['snooze', 'ffff'], 'There is no incident "ffff"'],
    [['export'], 'Name one place for the facts: --bus NAME or ARN, or --print'],
    [['export', '--bus', 'x', '--print'], 'Name one place for the facts'],
    [['export', '--bus', 'x'], 'In which region is the bus x?'],
    [['export', '--print', '--kubeconfig', '/nonexistent'], 'cannot be read'],
    [['export', '--print', '--audit-listen', '9443'], '--audit-listen needs --audit-cert and --audit-key'],
    [['export', '--print', '--audit-client-ca', 'package.json'], '--audit-client-ca is for the audit webhook'],
    [['export', '--print', '--audit-cert', '/nonexistent'], '--audit-cert: /nonexistent cannot be read'],
    [['doctor', '--url', 'nowhere'], '--url nowhere is no address'],
    [['doctor', '--service-account', 'x', '--kubeconfig', '/nonexistent'], 'cannot be read'],
  ])('answers %j with exit code 2 and one sentence that says what to do', async (args, sentence) => {
    const { code, err, out } = await kubemend(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('with --json an error is a document on standard output, and the sentence on standard error', async () => {
    for (const args of [['mend'], ['explain'], ['incidents', '--state', '/nonexistent']]) {
      const { code, out, err } = await kubemend(...args, '--json');
      expect({ code, ...(JSON.parse(out) as object) }).toEqual({ code: 2, error: { message: err.trim(), exitCode: 2 } });
    }
  });

  it('tells its version, and explains a verb in both ways', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(await kubemend('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
    expect(await kubemend('help', 'run')).toEqual(await kubemend('run', '--help'));
  });

  it('run says first, and once, that it reaches no cluster, and goes on', async () => {
    const config = join(directory, 'dead.yaml');
    await writeFile(config, DEAD_CLUSTER);
    const child = start('run', '--kubeconfig', config, '--state', join(directory, 'dead'));
    const err = await child.says('One process imitates AWS');
    child.end('SIGTERM');
    expect(await child.code).toBe(0);
    expect(err.split('\n')[0]).toMatch(/^kubemend reaches no cluster: nothing answers at https:\/\/127\.0\.0\.1:1 .*goes on trying/);
    expect(err).not.toMatch(/kubemend watches/);
  });

  it('replays a recording as one JSON document, times in the recording’s clock', async () => {
    const { out, code, err } = await kubemend('replay', STORM, '--json');
    expect({ code, err, lines: out.trim().split('\n').length }).toEqual({ code: 0, err: '', lines: 1 });
    const { incidents } = JSON.parse(out) as { incidents: Record<string, unknown>[] };
    expect(incidents).toContainEqual(
      expect.objectContaining({
        remediation: NAME,
        cluster: 'recording',
        object: expect.objectContaining({ resource: 'kafkas', namespace: 'kafka', name: 'my-cluster' }),
        detectedAt: '2026-11-21T02:02:05.039Z',
        state: 'shadowed',
        history: expect.arrayContaining([
          expect.objectContaining({
            state: 'planned',
            verdict: expect.objectContaining({ kind: 'fix', because: expect.any(String), steps: [expect.anything()] }),
          }),
        ]),
      }),
    );
  });

  it('names file and line of a recording that is broken', async () => {
    const broken = await mkdtemp(join(directory, 'broken-'));
    await copyFile(join(STORM, 'audit.ndjson.gz'), join(broken, 'audit.ndjson.gz'));
    await writeFile(
      join(broken, 'watch.ndjson'),
      '{"receivedAt":"2026-11-21T02:02:05Z","resource":"kafkas","type":"ADDED","object":{}}\n{"oops"\n',
    );
    const { code, err } = await kubemend('replay', broken);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/watch\.ndjson, line 2: /) });
  });

  it('keeps modes per remediation and namespace, pauses and resumes', async () => {
    expect((await kubemend('mode', '--json')).out).toContain(JSON.stringify({ remediation: NAME, mode: 'shadow' }));
    await kubemend('mode', NAME, 'approve');
    expect(await kubemend('mode', NAME, 'auto', '--namespace', 'dev')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no plan was judged yet/),
    });
    expect((await kubemend('mode', NAME, '--namespace', 'dev')).out).toMatch(/ approve in dev\n/);
    await kubemend('mode', NAME, 'auto', '--namespace', 'dev', '--yes');
    expect((await kubemend('mode', NAME)).out).toMatch(/ approve\n/);
    expect((await kubemend('mode', NAME, '--namespace', 'dev')).out).toMatch(/ auto in dev\n/);
    await kubemend('pause');
    const database = openDatabase(join(directory, 'kubemend.sqlite'));
    expect(await new SqliteState(database).setting('paused')).toMatch(/^ada since 2/);
    await kubemend('resume');
    expect(await new SqliteState(database).setting('paused')).toBeUndefined();
    database.close();
  });

  it('pins CRDs with their hash and lists them', async () => {
    const file = join(ROOT, 'artifacts/strimzi/0.43.0.yaml.gz');
    const added = JSON.parse((await kubemend('crds', 'add', 'strimzi', '0.43.9', '--from', file, '--json')).out) as { sha256: string };
    const { artifacts } = JSON.parse((await kubemend('crds', 'list', '--json')).out) as { artifacts: { name: string; sha256: string }[] };
    expect(artifacts.find(({ name }) => name === 'strimzi/0.43.9')?.sha256).toBe(added.sha256);
    expect(added.sha256).toBe(artifacts.find(({ name }) => name === 'strimzi/0.43.0')?.sha256);
    expect(await kubemend('crds', 'add', 'strimzi', '0.43.0', '--from', file)).toMatchObject({
      ...{ code: 2, err: expect.stringContaining('strimzi/0.43.0 ships with kubemend and cannot be replaced') },
    });
    await writeFile(join(directory, 'wrong.yaml'), 'kind: Secret\nmetadata: {name: a}\n');
    expect(await kubemend('crds', 'add', 'strimzi', '0.43.8', '--from', join(directory, 'wrong.yaml'))).toMatchObject({ code: 2 });
  });

  it('explains an incident, takes one word on its plan, and refuses the second', async () => {
    const { id, plan } = await incidentAwaiting();
    expect((await kubemend('incidents')).out).toContain(id);
    const story = (await kubemend('explain', id.slice(0, 6))).out;
    for (const part of [
      'awaiting-approval',
      'strimzi/strimzi-kafka-operator#10576',
      'strimzi-cluster-operator/0.43.0',
      'registeredNodeIds',
      'History',
    ]) {
      expect(story).toContain(part);
    }
    expect(await kubemend('approve', id, '--plan', '00000000')).toMatchObject({ code: 1, out: expect.stringContaining('Nothing changed') });
    const approved = JSON.parse((await kubemend('approve', id, '--plan', plan?.hash.slice(0, 8) ?? '', '--json')).out) as object;
    expect(approved).toMatchObject({ taken: true, runs: false, state: 'executing', approval: { by: 'ada' } });
    expect(await kubemend('reject', id)).toMatchObject({ code: 1, out: expect.stringContaining('Nothing changed') });
  });

  it('plays the sandbox to its end, and keeps it for other verbs: the last line is the incident, verified', async () => {
    const sandbox = start('sandbox', '--scenario', 'strimzi-stale-crds', '--yes', '--json', '--keep', '--record');
    try {
      const [, id = '', state = ''] = /capture (\w+) --state (\S+)/.exec(await sandbox.says(' --to ./capture')) ?? [];
      expect((await kubemend('incidents', '--state', state)).out).toContain(id);
      const captured = await kubemend('capture', id, '--state', state, '--to', join(directory, 'bundle'));
      expect(captured).toMatchObject({ code: 0, out: expect.stringMatching(/[1-9]\d* audit events, /) });
    } finally {
      sandbox.end('SIGINT');
    }
    expect(await sandbox.code).toBe(0);
    expect(JSON.parse(sandbox.said.out)).toMatchObject({ state: 'verified', remediation: NAME });
  }, 180_000);
});
