import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { loadRemediations } from '../infra/remediations.ts';
import type { Incident } from '../shared/incident.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import { type Called, callVerb } from '../test/call-verb.ts';
import { heldBack } from './standing.ts';
import { verb as approve } from './verbs/approve.ts';
import { verb as doctor } from './verbs/doctor.ts';
import { verb as mode } from './verbs/mode.ts';
import { verb as pause } from './verbs/pause.ts';
import { verb as resume } from './verbs/resume.ts';

const [NAME, OTHER] = ['strimzi/upgrade-stale-crds', 'kubero/slow-release-storm'];
const CLUSTER = 'arn:aws:eks:eu-west-1:1:cluster/prod';
let directory: string;
let state: SqliteState;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubemend-standing-'));
  state = new SqliteState(openDatabase(join(directory, 'kubemend.sqlite')));
});
const call = (verb: typeof pause, ...args: string[]): Promise<Called> => callVerb(verb, directory, ...args);

async function waiting(): Promise<Incident> {
  const text = readFileSync(join(import.meta.dirname, '../test/fixtures/awaiting-approval.json'), 'utf8');
  const made = JSON.parse(text) as Incident;
  const incident = { ...made, plan: made.plan && { ...made.plan, expiresAt: Date.now() + 600_000 } };
  await state.save(incident, 0);
  await state.set(`mode/${NAME}`, 'approve');
  return incident;
}

/** Fixes that did not help: of a remediation in a cluster, and of an object whose incident is no longer among the newest. */
async function ineffective(remediation: string, times = 3): Promise<void> {
  for (let n = 0; n < times; n += 1)
    for (const scope of [`object/${remediation}/${CLUSTER}/uid-1`, `remediation/${remediation}/${CLUSTER}`])
      await state.tally(scope, `${n}`);
}

async function trip(): Promise<void> {
  const [incident] = await state.list();
  for (const one of ['a', 'b']) await state.tally(`object/${incident?.key}`, one);
}

describe('pause and resume', () => {
  it('resume alone ends every pause, and says which', async () => {
    await call(pause, NAME);
    await call(pause);
    expect((await call(resume)).out).toMatch(
      /^Lifted: the pause of everything by ada since .* UTC\nLifted: the pause of strimzi\/\S+ by ada .*\nEverything writes as the modes allow/,
    );
    expect(await state.settings()).toEqual({});
    expect((await call(resume)).out).toMatch(/^There was no pause, and no breaker to close/);
  });

  it('resume of one says that the pause of everything goes on', async () => {
    await call(pause);
    const { out } = await call(resume, NAME);
    expect(out).toMatch(/^There was no pause of strimzi.*\nEverything is paused by ada since .*: nothing is written\. kubemend resume$/);
    expect(JSON.parse((await call(resume, NAME, '--json')).out)).toMatchObject({ lifted: [], pauses: [{ by: 'ada' }] });
  });

  it('resume closes the breakers of all objects, whatever their cluster is called, and of one remediation only where one is named', async () => {
    await ineffective(NAME);
    await ineffective(OTHER);
    await state.tally('overall', '1');
    expect((await call(resume, NAME)).out.match(/^Closed: .*/gm)).toHaveLength(3);
    expect(Object.keys(await state.tallies())).toEqual([`object/${OTHER}/${CLUSTER}/uid-1`, `remediation/${OTHER}/${CLUSTER}`]);
    await call(resume);
    expect(await state.tallies()).toEqual({});
  });

  it('mode and doctor show both, with the way out', async () => {
    expect((await call(doctor, '--url', 'http://127.0.0.1:1')).out).toMatch(/writes +nothing is paused, no breaker is open/);
    await call(pause, OTHER);
    await ineffective(NAME);
    await state.tally('overall', 'once');
    const { out } = await call(mode);
    expect(out).toMatch(new RegExp(`${OTHER} is paused by ada since .*kubemend resume ${OTHER}`));
    expect(out).toMatch(new RegExp(`breaker remediation/${NAME}/\\S+ is open: 3 fixes did not help\\. .*kubemend resume ${NAME}`));
    expect(out).not.toMatch(/breaker overall/);
    expect(await call(doctor, '--url', 'http://127.0.0.1:1')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/writes +\S+ is paused by ada/),
    });
    expect(JSON.parse((await call(mode, '--json')).out)).toMatchObject({
      pauses: [{ remediation: OTHER, by: 'ada' }],
      breakers: [{}, {}, {}],
    });
  });
});

describe('approve records nothing that would be withheld', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['while everything is paused', () => call(pause), /Everything is paused by ada .*kubemend resume$/],
    ['while its remediation is paused', () => call(pause, NAME), /kubemend resume strimzi/],
    ['in shadow mode', () => call(mode, NAME, 'shadow'), /the mode is shadow again.*kubemend mode \S+ approve/],
    ['with an open breaker', trip, /The breaker object\/.* is open/],
  ])('%s', async (_, happen, says) => {
    const { id } = await waiting();
    await happen();
    expect(await call(approve, id)).toMatchObject({ code: 1, out: expect.stringMatching(says) });
    expect(await state.load(id)).toMatchObject({ state: 'awaiting-approval', revision: expect.any(Number) });
  });

  it('and takes an undo in shadow mode: only a pause holds back the way back', async () => {
    const found = await waiting();
    await state.set(`mode/${NAME}`, undefined);
    const remediations = await loadRemediations();
    expect(await heldBack(state, found, 'undo', { remediations, limitsKnown: false })).toBeUndefined();
    await call(pause);
    expect(await heldBack(state, found, 'undo', { remediations, limitsKnown: false })).toMatch(/Everything is paused/);
  });

  it('and records it while another one is paused', async () => {
    const { id } = await waiting();
    await call(pause, OTHER);
    expect(await call(approve, id)).toMatchObject({ code: 0, out: expect.stringMatching(/^Approved/) });
  });
});

describe('mode', () => {
  it.each(['a/b', 'A', 'a-', 'a'.repeat(64), ''])('refuses the namespace "%s"', async (namespace) => {
    await expect(call(mode, NAME, 'approve', '--namespace', namespace)).rejects.toThrow(/is no name of a namespace/);
    expect(await state.settings()).toEqual({});
  });

  it('default takes an exception back; exceptions that stay are told', async () => {
    await call(mode, NAME, 'approve', '--namespace', 'dev');
    expect((await call(mode, NAME, 'shadow')).err).toMatch(/exceptions of namespaces stay.*default --namespace/);
    await call(mode, NAME, 'default', '--namespace', 'dev');
    expect(await call(mode, NAME, 'default')).toMatchObject({ out: expect.stringMatching(/ shadow$/), err: '' });
    expect(await state.settings()).toEqual({});
  });
});
