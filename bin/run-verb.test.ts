import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Incident } from '../shared/incident.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import { clear } from '../shared/verdict.ts';
import { callVerb } from '../test/call-verb.ts';
import { sentenceOf } from './run-verb.ts';
import type { Verb } from './verb.ts';
import { verb as capture } from './verbs/capture.ts';
import { verb as crds } from './verbs/crds.ts';
import { verb as explain } from './verbs/explain.ts';
import { verb as incidents } from './verbs/incidents.ts';
import { verb as mode } from './verbs/mode.ts';
import { verb as pause } from './verbs/pause.ts';
import { verb as redrive } from './verbs/redrive.ts';
import { exitCodeOf, verb as scan } from './verbs/scan.ts';
import { verb as send } from './verbs/send.ts';

const ROOT = join(import.meta.dirname, '..');
const SAMPLE = join(ROOT, 'events/samples/strimzi-stale-crds.json');
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubemend-surroundings-'));
});
const path = (...names: string[]): string => join(directory, ...names);
const here = (): SqliteState => new SqliteState(openDatabase(path('kubemend.sqlite')));

/** What the program would say of what a verb throws; `DEFECT` where it would print a stack. */
async function says(verb: Verb, ...args: string[]): Promise<string> {
  try {
    return (await callVerb(verb, directory, ...args)).out;
  } catch (error) {
    return sentenceOf(error as Error) ?? `DEFECT ${error}`;
  }
}

async function incident(over: Partial<Incident> = {}): Promise<Incident> {
  const made = { ...(JSON.parse(readFileSync(join(ROOT, 'test/fixtures/awaiting-approval.json'), 'utf8')) as Incident), ...over };
  await here().save(made, 0);
  return made;
}

describe('the state folder', () => {
  it.each<[string, Verb, string[]]>([
    ['incidents', incidents, []],
    ['pause', pause, []],
    ['mode', mode, []],
    ['redrive', redrive, []],
  ])('%s makes none where there is none, and says so', async (_, verb, args) => {
    for (const folder of [path('typo'), join(ROOT, 'package.json')])
      expect(await says(verb, ...args, '--state', folder)).toMatch(/^There is no state in .*: no kubemend ran on it yet\. .*--state$/);
    expect(existsSync(path('typo'))).toBe(false);
  });

  it('what is no database is a sentence', async () => {
    writeFileSync(path('kubemend.sqlite'), 'this is no database, but long enough to be looked at\n'.repeat(100));
    expect(await says(incidents)).toMatch(/^The state \S+kubemend.sqlite cannot be opened: file is not a database/);
  });

  it('is for nobody else to read', async () => {
    openDatabase(path('new', 'kubemend.sqlite')).exec("INSERT INTO settings VALUES ('a', 'b')");
    const rights = (...names: string[]) => (statSync(path('new', ...names)).mode & 0o777).toString(8);
    expect([rights(), rights('kubemend.sqlite'), rights('kubemend.sqlite-wal')]).toEqual(['700', '600', '600']);
  });

  it('a file where a folder has to be made is a sentence', async () => {
    const { id } = await incident();
    mkdirSync(path('recording'));
    writeFileSync(path('recording', 'now.ndjson'), '{"at":"2026-01-01T00:00:00Z","kind":"audit","event":{}}\n');
    expect(await says(capture, id, '--to', SAMPLE)).toMatch(/^EEXIST: .*strimzi-stale-crds\.json.*\. Give a path/);
    const crdFile = join(ROOT, 'artifacts/strimzi/0.43.0.yaml.gz');
    expect(await says(crds, 'add', 'strimzi', '0.43.9', '--from', crdFile, '--state', SAMPLE)).toMatch(/^E\w+: .*\. Give a path/);
  });

  it('what is nobody’s mistake stays a defect', () => {
    expect(sentenceOf(new TypeError('x is undefined'))).toBeUndefined();
  });
});

describe('an ID', () => {
  it.each([
    ['abc', /^"abc" is no ID of an incident: 12 hex digits, of which the first 4 are enough/],
    ['xyzxyz', /is no ID/],
    ['ffff', /^There is no incident "ffff"\. Run: kubemend incidents$/],
    ['aaaa', /^More than one incident begins with aaaa: aaaa11112222, aaaa33334444$/],
  ])('%s is told apart', async (id, sentence) => {
    await incident({ id: 'aaaa11112222', key: 'a', updatedAt: 2 });
    await incident({ id: 'aaaa33334444', key: 'b', updatedAt: 1 });
    expect(await says(explain, id)).toMatch(sentence);
  });

  it('incidents name their cluster where there is more than one', async () => {
    await incident({ id: 'aaaa11112222', key: 'a', cluster: 'prod' });
    expect(await says(incidents)).not.toMatch(/ in prod/);
    await incident({ id: 'aaaa33334444', key: 'b', cluster: 'dev' });
    expect(await says(incidents)).toMatch(/ in prod .*[\s\S]* in dev /);
  });
});

describe('incidents', () => {
  const listed = async (...args: string[]) =>
    JSON.parse(await says(incidents, '--json', ...args)) as { incidents: unknown[]; more: number };
  it('shows the newest, says how many more there are, and how to see them', async () => {
    for (let n = 1; n <= 120; n += 1) await incident({ id: n.toString(16).padStart(12, '0'), key: `${n}`, updatedAt: n });
    await incident({ id: 'ffffffffffff', key: 'suspicion', state: 'cleared', history: [], updatedAt: 999 });
    const shown = await says(incidents);
    expect(shown).toMatch(/20 older incidents are not shown\. Show more with --limit N, or all with --all\.$/);
    expect(shown).toContain((120).toString(16).padStart(12, '0'));
    expect(shown).not.toMatch(/000000000001|ffffffffffff/);
    expect(await listed()).toMatchObject({ more: 20 });
    expect(await listed('--limit', '119')).toMatchObject({ more: 1 });
    const all = [await listed('--limit', '120'), await listed('--all'), await listed('--open')];
    expect(all.map(({ incidents: found, more }) => [found.length, more])).toEqual([
      [120, 0],
      [121, 0],
      [100, 20],
    ]);
  });

  it.each(['0', '-1', '1.5', 'many', '99999999999999999999999', '1e300', 'Infinity'])('--limit %s is a sentence', async (limit) => {
    await incident();
    expect(await says(incidents, `--limit=${limit}`)).toBe(`--limit must be a positive integer, got ${limit}`);
  });
});

it('What is no kubeconfig is a sentence', async () => {
  writeFileSync(path('hostname'), 'till-17\n');
  expect(await says(scan, '--kubeconfig', path('hostname'))).toMatch(/hostname is not a kubeconfig: it names no cluster/);
});

it('A scan that came to no answer is no all-clear', () => {
  const one = { remediation: 'a/b', object: { group: '', version: 'v1', resource: 'pods', name: 'a' }, verdict: clear('well') };
  const doubts = [{ remediation: 'a/b', about: 'pods', because: '403' }];
  const none = { findings: [], undecided: [], doubts: [] };
  const all = [none, { ...none, undecided: [one] }, { ...none, doubts }, { findings: [one], undecided: [one], doubts }];
  expect(all.map(exitCodeOf)).toEqual([0, 3, 3, 1]);
});

describe('redrive', () => {
  /** Dead letters in a file whose name leaves no room for a suffix. */
  function longNamed(): string {
    const file = path('l'.repeat(240));
    writeFileSync(file, `${JSON.stringify({ event: JSON.parse(readFileSync(SAMPLE, 'utf8')) })}\n`);
    return file;
  }
  it.each([
    ['a folder that is not there', () => path('nowhere', 'letters'), /^There are no dead letters at/],
    ['a file that is not there', () => path('letters'), /^There are no dead letters at/],
    ['a folder', () => directory, /^kubemend cannot redrive .*: it is not a regular file. The file is unchanged$/],
    ['a file that cannot be renamed', longNamed, /^kubemend cannot redrive .*: ENAMETOOLONG.* The file is unchanged$/],
  ])('of %s is no success', async (_, file, sentence) => {
    here();
    expect(await says(redrive, '--file', file())).toMatch(sentence);
  });

  it('takes what every redrive that died left, and the newer file', async () => {
    here();
    const line = `${JSON.stringify({ event: JSON.parse(readFileSync(SAMPLE, 'utf8')) })}\n`;
    for (const name of ['l.redriving', 'l.redriving-1-2', 'l.1.redriving', 'l.1', 'l']) writeFileSync(path(name), line);
    expect(await says(redrive, '--file', path('l'))).toMatch(/^5 sent again, 0 left/);
    expect(['l.redriving', 'l.redriving-1-2', 'l.1.redriving', 'l.1', 'l'].filter((name) => existsSync(path(name)))).toEqual([]);
  });

  it('leaves a letter of another cluster than the one that is watched', async () => {
    await here().set('cluster', 'prod');
    writeFileSync(path('l'), `${JSON.stringify({ event: JSON.parse(readFileSync(SAMPLE, 'utf8')) })}\n`);
    expect(await says(redrive, '--file', path('l'))).toMatch(
      /^0 sent again, 1 left[\s\S]*of the cluster \w+; the kubemend of this folder watches prod/,
    );
  });
});

describe('send', () => {
  const runs = async (): Promise<SqliteState> => {
    const state = here();
    await state.set('cluster', 'prod');
    await state.lease('runner', 'test', Date.now() + 60_000, Date.now());
    return state;
  };

  it('hands nothing over that is of another cluster; --cluster says that it is meant', async () => {
    const state = await runs();
    expect(await says(send, SAMPLE)).toMatch(/^The fact is of the cluster recording; .* watches prod\. .*--cluster prod$/);
    expect(await state.list()).toEqual([]);
    expect(await says(send, SAMPLE, '--cluster', 'prod')).toMatch(/handed over/);
    expect(await state.list()).toMatchObject([{ cluster: 'prod' }]);
  });

  it('exits with 3 where the cluster does not answer: a doubt is no yes', async () => {
    const kubeconfig = path('dead.yaml');
    const config = {
      clusters: [{ name: 'dead', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'x', user: { token: 'x' } }],
      contexts: [{ name: 'dead', context: { cluster: 'dead', user: 'x' } }],
      'current-context': 'dead',
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    expect(await callVerb(send, directory, SAMPLE, '--report', '--kubeconfig', kubeconfig)).toMatchObject({
      code: 3,
      out: expect.stringMatching(/not certain/),
    });
  });
});
