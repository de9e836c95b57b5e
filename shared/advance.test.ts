import { describe, expect, it } from '@jest/globals';
import { type IncidentState, incidentState } from '../events/incident-changed.ts';
import type { ObjectChanged } from '../events/object-changed.ts';
import { advance } from './advance.ts';
import { allLive } from './evidence.ts';
import { absorbs, type Effect, type Incident } from './incident.ts';
import type { Context, Input, Mode } from './input.ts';
import { keyOf, open } from './open.ts';
import { makePlan, mergePatch } from './plan.ts';
import { complete, type Question } from './remediation.ts';
import { clear, fix, report, type Verdict, wait } from './verdict.ts';
import { whenObjectChanged } from './when.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const MINUTE = 60_000;
const target = { group: '', version: 'v1', resource: 'pods', namespace: 'shop', name: 'a', uid: 'u1' };
const steps = [mergePatch(target, { spec: { color: 'blue' } }, 'red is an error')];
const mend = fix('it is red', { evidence: allLive({ color: 'red' }), steps });
const other = fix('it is dark red', { evidence: allLive({ color: 'dark red' }), steps });
const planOf = (verdict: typeof mend, at = NOW) => makePlan(verdict, 'subject', at, '15m');
const { limits, when } = complete('example/mend', {
  title: 'Mend',
  cause: { issue: 'x#1', affects: 'all', because: 'x' },
  when: whenObjectChanged({ group: '', resource: 'pods' }),
  ...{ rights: [], writes: [] },
  examine: async () => clear(''),
});

const factAt = (id: string, at = NOW): ObjectChanged => ({
  id,
  cluster: 'toy',
  observedAt: new Date(at).toISOString(),
  coverage: { sources: ['watch'], gap: false, dropped: 0 },
  object: { group: '', version: 'v1', resource: 'pods', name: 'a', uid: 'u1' },
  change: 'modified',
  changed: [],
  phantom: false,
});

/** An incident in a state, as it would stand there ten minutes after its last examination. */
function inState(state: IncidentState, over: Partial<Incident> = {}): Incident {
  const first = factAt('first-fact', NOW - 20 * MINUTE);
  const opened = open(first, first.object, 'example/mend', 1, NOW - 20 * MINUTE);
  const planless: IncidentState[] = ['detected', 'waiting', 'reported', 'cleared'];
  const running: IncidentState[] = ['applied', 'verified', 'ineffective', 'reverted'];
  const execution = { preparedAt: NOW - MINUTE, steps: [{ index: 0, resourceVersion: '7' }], written: [] };
  const verification = { appliedAt: NOW - MINUTE, settledAt: NOW - MINUTE / 2, deadline: NOW + MINUTE };
  return {
    ...opened,
    revision: 7,
    state,
    because: 'so far',
    examinedAt: NOW - 10 * MINUTE,
    effects: [],
    look: { at: NOW, token: 6 },
    ...(!planless.includes(state) && { plan: planOf(mend) }),
    ...((running.includes(state) || state === 'executing') && { execution }),
    ...(running.includes(state) && { verification }),
    ...over,
  };
}

const context = (mode: Mode = 'auto', now = NOW): Context => ({ now, limits, when, mode });
const pending: Record<string, Effect> = {
  examine: { id: 'e', kind: 'examine', question: 'detect' },
  prepare: { id: 'e', kind: 'prepare' },
  write: { id: 'e', kind: 'write', step: 0 },
  tell: { id: 'e', kind: 'tell', state: 'planned', because: '', at: NOW },
};
const after = (
  state: IncidentState,
  effect: string | undefined,
  input: Input,
  mode: Mode = 'auto',
  over: Partial<Incident> = {},
): Incident | undefined =>
  advance(inState(state, { ...(effect && { effects: [pending[effect] as Effect] }), ...over }), input, context(mode));

const examined = (question: Question, verdict: Verdict): Input => ({
  kind: 'examined',
  effect: 'e',
  question,
  verdict,
  reads: [],
  ...(verdict.kind === 'fix' && { plan: planOf(verdict as typeof mend) }),
});
const doubt = (question: Question): Input => ({ kind: 'doubt', effect: 'e', question, because: 'who knows' });
const fact: Input = { kind: 'fact', fact: factAt('new-fact') };
const due: Input = { kind: 'due', token: 6 };
const approve: Input = { kind: 'approve', hash: planOf(mend).hash, by: 'Ann' };
const reject: Input = { kind: 'reject', by: 'Ann', because: 'no' };
const written: Input = { kind: 'written', effect: 'e', written: { index: 0, at: NOW, how: 'wrote' } };
const conflict: Input = { kind: 'conflict', effect: 'e', because: 'it moved' };
const broken: Input = { kind: 'broken', effect: 'e', because: 'no answer' };
const refused: Input = { kind: 'withheld', effect: 'e', because: 'paused' };
const later: Input = { kind: 'withheld', effect: 'e', because: 'paused', again: NOW + MINUTE };
const ENDED: IncidentState[] = ['verified', 'ineffective', 'reverted', 'resolved', 'refused', 'expired', 'failed'];

type Row = [from: IncidentState, effect: string | undefined, input: Input, to: IncidentState, work: string, mode?: Mode];
const ROWS: Row[] = [
  ['detected', 'examine', examined('detect', clear('fine')), 'cleared', 'tell'],
  ['detected', 'examine', examined('detect', wait('soon', '5s')), 'waiting', 'tell look'],
  ['detected', 'examine', examined('detect', report('alas')), 'reported', 'tell look'],
  ['detected', 'examine', examined('detect', mend), 'planned', 'tell look'],
  ['detected', 'examine', doubt('detect'), 'waiting', 'tell look'],
  ['detected', undefined, fact, 'detected', 'examine?'],
  ['waiting', undefined, fact, 'waiting', 'examine'],
  ['waiting', undefined, due, 'waiting', 'examine'],
  ['waiting', 'examine', examined('detect', clear('fine')), 'cleared', 'tell'],
  ['cleared', undefined, fact, 'cleared', 'examine'],
  ['cleared', undefined, due, 'cleared', 'examine'],
  ['cleared', 'examine', examined('detect', clear('fine')), 'cleared', ''],
  ['cleared', 'examine', examined('detect', mend), 'planned', 'tell look'],
  ['cleared', 'examine', doubt('detect'), 'waiting', 'tell look'],
  ['planned', undefined, due, 'planned', 'examine'],
  ['planned', 'examine', examined('confirm', mend), 'executing', 'tell prepare'],
  ['planned', 'examine', examined('confirm', mend), 'awaiting-approval', 'tell look', 'approve'],
  ['planned', 'examine', examined('confirm', mend), 'shadowed', 'tell look', 'shadow'],
  ['planned', 'examine', examined('confirm', other), 'planned', 'tell look'],
  ['planned', 'examine', examined('confirm', clear('gone')), 'resolved', 'tell'],
  ['planned', 'examine', examined('confirm', report('alas')), 'reported', 'tell look'],
  ['planned', 'examine', examined('confirm', wait('soon', '5s')), 'waiting', 'tell look'],
  ['planned', 'examine', doubt('confirm'), 'waiting', 'tell look'],
  ['shadowed', undefined, fact, 'shadowed', 'examine'],
  ['shadowed', undefined, due, 'shadowed', 'examine'],
  ['shadowed', 'examine', examined('detect', mend), 'shadowed', 'look', 'shadow'],
  ['shadowed', 'examine', examined('detect', mend), 'planned', 'tell look', 'auto'],
  ['shadowed', 'examine', examined('detect', other), 'planned', 'tell look', 'shadow'],
  ['shadowed', 'examine', examined('detect', clear('gone')), 'resolved', 'tell', 'shadow'],
  ['shadowed', undefined, reject, 'refused', 'tell', 'shadow'],
  ['reported', undefined, due, 'reported', 'examine'],
  ['reported', undefined, fact, 'reported', 'examine'],
  ['reported', 'examine', examined('detect', clear('gone')), 'resolved', 'tell'],
  ['reported', undefined, reject, 'refused', 'tell'],
  ['awaiting-approval', undefined, approve, 'executing', 'tell prepare', 'approve'],
  ['awaiting-approval', undefined, reject, 'refused', 'tell', 'approve'],
  ['awaiting-approval', undefined, fact, 'awaiting-approval', '', 'approve'],
  ['awaiting-approval', undefined, due, 'awaiting-approval', 'look', 'approve'],
  ['executing', 'prepare', { kind: 'prepared', effect: 'e', steps: [{ index: 0 }], reads: [] }, 'executing', 'write'],
  ['executing', 'prepare', refused, 'refused', 'tell'],
  ['executing', 'prepare', later, 'waiting', 'tell look'],
  ['executing', 'prepare', conflict, 'detected', 'tell examine'],
  ['executing', 'prepare', doubt('before-write'), 'waiting', 'tell look'],
  ['executing', 'prepare', examined('before-write', clear('gone')), 'resolved', 'tell'],
  ['executing', 'prepare', examined('before-write', other), 'planned', 'tell look'],
  ['executing', 'write', { kind: 'writing', step: 0 }, 'executing', 'write'],
  ['executing', 'write', written, 'applied', 'tell look'],
  ['executing', 'write', conflict, 'detected', 'tell examine'],
  ['executing', 'write', broken, 'failed', 'tell'],
  ['executing', undefined, fact, 'executing', ''],
  ['applied', undefined, due, 'applied', 'examine'],
  ['applied', undefined, fact, 'applied', 'examine'],
  ['applied', 'examine', examined('verify', clear('fine')), 'applied', 'look'],
  ['applied', 'examine', examined('verify', wait('drying', '5s')), 'applied', 'look'],
  ['applied', 'examine', examined('verify', report('alas')), 'applied', 'look'],
  ['applied', 'examine', examined('verify', mend), 'reverted', 'count-ineffective tell'],
  ['applied', 'examine', doubt('verify'), 'applied', 'look'],
  ...ENDED.map((state): Row => [state, 'examine', examined('detect', mend), state, '']),
  ...ENDED.map((state): Row => [state, 'examine', examined('verify', mend), state, '']),
  ...ENDED.map((state): Row => [state, 'examine', doubt('detect'), state, '']),
  ...ENDED.map((state): Row => [state, undefined, fact, state, '']),
  ...incidentState.options.map((state): Row => [state, 'tell', { kind: 'done', effect: 'e' }, state, '']),
];

const nameOf = (input: Input): string =>
  'verdict' in input ? `${input.question}: ${input.verdict.kind}` : 'question' in input ? `${input.question}: doubt` : input.kind;

describe('an incident', () => {
  it.each(ROWS.map((row) => [row[0], nameOf(row[2]), row[5] ?? 'auto', row[3], row[4], row] as const))(
    '%s, after %s (%s), is %s with work: %s',
    (_, __, ___, to, work, [from, effect, input, , , mode]) => {
      const next = after(from, effect, input, mode);
      expect(next?.state).toBe(to);
      expect(next?.revision).toBe(8);
      expect(next?.effects.map(({ kind }) => kind).join(' ')).toBe(work.replace('examine?', ''));
      // Whatever changes the state is written down and told.
      if (from !== to) expect(next?.history.at(-1)).toMatchObject({ state: to, because: next?.because, at: NOW });
    },
  );
});

describe('nothing changes by', () => {
  const all = incidentState.options;
  it.each([
    ['a result of work that is not open', all, { ...written }],
    ['an examination that is not open', all, examined('confirm', mend)],
    ['a fact that is known', all, { kind: 'fact', fact: factAt('first-fact') }],
    ['a look that was replaced', all, { kind: 'due', token: 5 }],
    [
      'a look at what does not look',
      all.filter((state) => !['planned', 'applied', 'waiting', 'reported', 'shadowed', 'cleared', 'awaiting-approval'].includes(state)),
      due,
    ],
    ['an approval of another plan', all, { ...approve, hash: planOf(other).hash }],
    ['an approval of what does not wait for one', all.filter((state) => state !== 'awaiting-approval' && state !== 'expired'), approve],
    ['a no to what does not ask', all.filter((state) => !['awaiting-approval', 'shadowed', 'reported'].includes(state)), reject],
  ] as [string, IncidentState[], Input][])('%s', (_, states, input) => {
    for (const state of states) expect({ state, next: after(state, undefined, input) }).toEqual({ state, next: undefined });
  });
});

it('The fifth doubt in a row is reported, and each pause is longer', () => {
  let incident = inState('detected');
  const pauses: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    incident = advance({ ...incident, effects: [pending.examine as Effect] }, doubt('detect'), context()) as Incident;
    pauses.push((incident.look?.at ?? 0) - NOW);
  }
  expect(incident.state).toBe('reported');
  expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 600_000]);
});

it('Between two steps a conflict is a failure, and a switch waits for the first question', () => {
  const execution = { preparedAt: NOW, steps: [{ index: 0 }, { index: 1 }], written: [{ index: 0, at: NOW, how: 'wrote' as const }] };
  expect(after('executing', 'write', conflict, 'auto', { execution })?.because).toBe('stopped between two steps: it moved');
  expect(after('executing', 'write', later, 'auto', { execution })?.because).toBe('1 of 2 steps are written, no more: paused');
  expect(after('executing', 'write', written, 'auto', { execution: { ...execution, written: [] } })?.effects).toMatchObject([
    { kind: 'write', step: 1 },
  ]);
});

it.each([
  ['refused', 24 * 60, { by: 'ada' }],
  ['refused', 60, {}],
  ['expired', 60, {}],
  ['verified', 0, {}],
] as const)('%s incidents take new facts themselves for %d minutes from their end, not from their last fact', (state, minutes, entry) => {
  const ended = inState(state, { updatedAt: NOW + minutes * MINUTE, history: [{ at: NOW, state, because: '', ...entry }] });
  if (minutes > 0) expect(absorbs(ended, NOW + minutes * MINUTE - 1)).toBe(true);
  expect(absorbs(ended, NOW + minutes * MINUTE)).toBe(false);
});

it('The uid tells a re-created object from the old one; without a uid it is its name', () => {
  const { object } = factAt('fact-one');
  expect(keyOf('toy', object, 'r')).not.toBe(keyOf('toy', { ...object, uid: 'u2' }, 'r'));
  expect(keyOf('toy', { group: '', version: 'v1', resource: 'pods', namespace: 'n', name: 'a' }, 'r')).toBe('r/toy/:pods:n:a');
});

it('A plan that always wants a person gets one in auto mode too, and is another plan than one that does not', () => {
  const careful = { ...mend, approval: 'always' as const };
  const planned = { plan: planOf(careful) };
  const next = after('planned', 'examine', { ...examined('confirm', careful), ...planned } as Input, 'auto', planned);
  expect(next?.state).toBe('awaiting-approval');
  expect(planOf(careful).hash).not.toBe(planOf(mend).hash);
});

it('A plan cannot change one object twice, nor be empty', () => {
  expect(() => makePlan({ ...mend, steps: [...mend.steps, ...mend.steps] }, 's', 0, '15m')).toThrow('Two steps change the same object');
  expect(() => makePlan({ ...mend, steps: [] }, 's', 0, '15m')).toThrow('A fix without a step is a report');
});
