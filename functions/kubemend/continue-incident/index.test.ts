import { describe, expect, it } from '@jest/globals';
import type { Incident } from '../../../shared/incident.ts';
import type { Appointment } from '../../../shared/schedule/schedule.ts';
import { incident } from '../../../shared/state/contract.ts';
import { openDatabase, SqliteState } from '../../../shared/state/sqlite.ts';
import { type Continuation, continueIncidents, takeUp } from './index.ts';

const NOW = 1_000_000;
const effects = [{ id: '1.0', kind: 'prepare' as const }];

async function world() {
  const state = new SqliteState(openDatabase(':memory:'));
  const invoked: [string, Appointment][] = [];
  const early: Appointment[] = [];
  const problems: string[] = [];
  const continuation: Continuation = {
    state,
    schedule: { put: async (appointment) => void early.push(appointment) },
    now: () => NOW,
    async invoke(remediation, appointment) {
      if (remediation === 'broken/one') throw new Error('it failed');
      invoked.push([remediation, appointment]);
    },
    onProblem: (problem, { incident, messageId }) => problems.push(`${incident ?? messageId}: ${problem}`),
  };
  await state.save(incident({ id: 'aaaa00000000', key: 'a', remediation: 'strimzi/x', updatedAt: NOW - 60_001, effects }), 0);
  await state.save(incident({ id: 'bbbb00000000', key: 'b', remediation: 'broken/one', updatedAt: NOW - 60_001, effects }), 0);
  await state.save(incident({ id: 'cccc00000000', key: 'c', remediation: 'kubero/y', updatedAt: NOW - 59_999, effects }), 0);
  await state.save(incident({ id: 'dddd00000000', key: 'd', remediation: 'kubero/y', updatedAt: 1 }), 0);
  return { continuation, invoked, early, problems };
}

describe('continue-incident', () => {
  it('hands what is due to the function of its remediation, puts back what is early, and keeps what failed in the queue', async () => {
    const { continuation, invoked, early, problems } = await world();
    const of = (id: string, at: number): Appointment => ({ incident: id, token: 3, at });
    const due = [of('aaaa00000000', NOW), of('bbbb00000000', NOW), of('cccc00000000', NOW + 1), of('eeee00000000', 1)];
    const Records = due.map((appointment, index) => ({ messageId: `m${index}`, body: JSON.stringify(appointment) }));
    expect(await continueIncidents({ Records }, continuation)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] });
    expect(invoked).toEqual([['strimzi/x', due[0]]]);
    expect(early).toEqual([due[2]]);
    expect(problems).toEqual([
      'eeee00000000: There is no such incident any more: the appointment is dropped',
      'm1: An appointment failed and comes again: it failed',
    ]);
  });

  it('keeps everything in the queue while the table is away', async () => {
    const { continuation } = await world();
    const state = { ...continuation.state, load: async () => Promise.reject(new Error('throttled')) };
    const Records = [{ messageId: 'm', body: JSON.stringify({ incident: 'aaaa', token: 'wake', at: 1 }) }];
    expect(await continueIncidents({ Records }, { ...continuation, state })).toEqual({ batchItemFailures: [{ itemIdentifier: 'm' }] });
  });

  it('calls the longest left first, a few of one remediation at a time, and begins nothing when its time is over', async () => {
    const state = new SqliteState(openDatabase(':memory:'));
    for (let n = 10; n < 40; n += 1)
      await state.save(incident({ id: `${n}aa00000000`, key: `${n}`, remediation: 'x/y', updatedAt: NOW - 100_000 + n, effects }), 0);
    const [begun, problems]: [string[], string[]] = [[], []];
    let [time, running, most] = [NOW, 0, 0];
    const slow: Continuation = {
      ...{ state, schedule: { put: async () => undefined }, now: () => time, onProblem: (problem) => void problems.push(problem) },
      async invoke(_, { incident: id }) {
        begun.push(id.slice(0, 2));
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        time += 1_000;
        running -= 1;
      },
    };
    const { woken } = await takeUp(slow);
    expect(begun).toEqual(['10', '11', '12', '13', '14', '15', '16', '17', '18', '19'].slice(0, begun.length));
    expect([woken.length, most]).toEqual([begun.length, 3]);
    expect(begun.length).toBeGreaterThanOrEqual(8);
    expect(problems).toEqual([`There was no time to take up ${30 - begun.length} incidents: they are taken up with the next tick`]);
  });

  it('leaves alone what is woken soon, and hands a lost look its own token', async () => {
    const { continuation, invoked } = await world();
    const state = continuation.state as SqliteState;
    const stored = async (id: string, over: Partial<Incident>) => {
      const one = await state.load(id);
      if (one) await state.save({ ...one, ...over, revision: one.revision + 1 }, one.revision);
    };
    await stored('aaaa00000000', { wake: { at: NOW - 59_999, after: 30_000 } });
    await stored('bbbb00000000', { effects: [], remediation: 'kubero/y', state: 'planned', look: { at: NOW - 600_001, token: 7 } });
    await stored('dddd00000000', { state: 'planned', look: { at: NOW - 600_000, token: 7 } });
    await takeUp(continuation);
    expect(invoked).toEqual([['kubero/y', { incident: 'bbbb00000000', token: 7, at: NOW - 600_001 }]]);
  });

  it('wakes what was left with work for a minute, one failing or not', async () => {
    const { continuation, invoked, problems } = await world();
    expect(await takeUp(continuation)).toEqual({ woken: ['aaaa00000000'] });
    expect(invoked).toEqual([['strimzi/x', { incident: 'aaaa00000000', token: 'wake', at: NOW }]]);
    expect(problems).toEqual(['bbbb00000000: It could not be taken up: it failed']);
  });
});
