import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { incidentChanged } from '../events/incident-changed.ts';
import type { Read } from './cluster.ts';
import type { Entry, Incident } from './incident.ts';
import { fitted, LARGEST_OUTCOME } from './outcome-size.ts';
import { mergePatch } from './plan.ts';
import { publicRecord } from './public-record.ts';
import { incident } from './state/contract.ts';

const told = { id: '1.0', state: 'waiting' as const, because: 'it waits', at: 0 };
const about = { title: 't', cause: { issue: 'i', affects: 'a', because: 'b' } };
const fact = { change: 'modified', phantom: false } as Incident['fact'];
/** As long as a name may be, and of three bytes each, which no name is. */
const NAME = '€'.repeat(253);

const read = (n: number): Read => ({ group: 'apps', resource: 'statefulsets', namespace: NAME, name: `${NAME}${n}` }) as never;
const entry = (n: number, reads: number, because = 'not certain', rest: Partial<Entry> = {}): Entry => ({
  ...{ at: n, state: 'waiting', because: `${n}: ${because}`, question: 'detect' },
  reads: Array.from({ length: reads }, (_, one) => read(one)),
  ...rest,
});
const history = (length: number, make: (n: number) => Entry): Entry[] => Array.from({ length }, (_, n) => make(n));
const outcome = (over: Partial<Incident>) => publicRecord(incident({ fact, state: 'waiting', ...over }), about, told);
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const steps = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    mergePatch(
      { group: '', version: 'v1', resource: 'pods', name: `${NAME}${n}`, uid: 'u' },
      { data: randomBytes(500).toString('hex') },
      'why',
    ),
  );

describe('an outcome', () => {
  it('that is small is told whole', () => {
    const { record } = outcome({ history: history(3, (n) => entry(n, 2)) });
    expect(record.truncated).toBeUndefined();
    expect((record.history as Entry[]).map(({ reads }) => reads?.length)).toEqual([2, 2, 2]);
  });

  it('with too many reads keeps every line, and the newest reads', () => {
    const { record } = outcome({ history: history(100, (n) => entry(n, 20)) });
    expect(record.truncated).toBe(true);
    expect((record.history as Entry[]).map(({ reads }) => reads?.length)).toEqual([...Array(99).fill(undefined), 20]);
  });

  const plan = { hash: 'h'.repeat(64), subject: 's', because: 'b', evidence: {}, steps: steps(200), madeAt: 0, expiresAt: 1 } as never;
  it.each<[string, Partial<Incident>]>([
    ['200 lines of 60 reads', { history: history(200, (n) => entry(n, 60)) }],
    ['one line of 3,000 reads', { history: history(1, (n) => entry(n, 3_000)) }],
    ['lines of long reasons', { history: history(200, (n) => entry(n, 0, '\u0000'.repeat(20_000))) }],
    ['one endless reason', { because: 'x'.repeat(2_000_000) }],
    [
      'lines of large verdicts',
      { history: history(30, (n) => entry(n, 0, '', { verdict: { kind: 'fix', evidence: { x: NAME.repeat(20) } } as never })) },
    ],
    ['a plan of 200 steps', { plan }],
    ['a split letter at the cut', { history: history(200, (n) => entry(n, 0, `${'x'.repeat(n)}${'😀'.repeat(2_000)}`)) }],
    ['everything', { plan, because: NAME.repeat(99), history: history(200, (n) => entry(n, 60, NAME.repeat(9))) }],
  ])('of %s fits, tells what happened, and is as the contract says', (_, over) => {
    const change = outcome(over);
    expect(bytes(change)).toBeLessThanOrEqual(LARGEST_OUTCOME);
    expect(incidentChanged.parse(change)).toEqual(JSON.parse(JSON.stringify(change)));
    expect(change).toMatchObject({
      state: 'waiting',
      incident: 'abcdef012345',
      because: 'it waits',
      record: { truncated: true, state: 'waiting' },
    });
    expect(JSON.stringify(change)).not.toMatch(/\\ud[89a-f]/i);
  });

  it('whose own reason is endless has it cut', () => {
    const change = outcome({});
    expect(bytes(fitted({ ...change, because: '€'.repeat(100_000) }))).toBeLessThanOrEqual(5_000);
  });
});
