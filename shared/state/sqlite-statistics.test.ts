import { describe, expect, it } from '@jest/globals';
import type { IncidentState } from '../../events/incident-changed.ts';
import type { Incident } from '../incident.ts';
import { recordsOf } from '../statistics.ts';
import { incident } from './contract.ts';
import { openDatabase, SqliteState } from './sqlite.ts';
import { expireIncidents } from './sqlite-retention.ts';

const STATES: IncidentState[] = [
  ...(['detected', 'waiting', 'cleared', 'reported', 'planned', 'shadowed', 'awaiting-approval', 'executing', 'applied'] as const),
  ...(['verified', 'ineffective', 'reverted', 'resolved', 'refused', 'expired', 'failed', 'undoing', 'undone'] as const),
];

/** mulberry32: the same seed gives the same run. */
function randomFrom(seed: number): (below: number) => number {
  let a = seed;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Saves, changes, follows and expires incidents at random; after each step the table must say what all incidents together say. */
async function live(seed: number): Promise<{ steps: number; fired: number; expired: number }> {
  const random = randomFrom(seed);
  const one = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const database = openDatabase(':memory:');
  const state = new SqliteState(database);
  const known = new Map<string, Incident>();
  let [made, now, fired, expired] = [0, 0, 0, 0];
  const step = (last: Incident): Incident => {
    const next = one(STATES);
    const by = random(3) === 0 ? { by: 'Ann' } : {};
    const history = [...last.history, { at: now, state: next, because: 'b', ...by }];
    return {
      ...last,
      state: next,
      history,
      updatedAt: now,
      ...(random(9) === 0 && { byHand: true as const }),
      effects: random(4) === 0 ? [{ id: '1.0', kind: 'prepare' }] : [],
    };
  };
  for (let n = 0; n < 200; n += 1) {
    now += random(20);
    const what = random(10);
    const last = known.size > 0 ? one([...known.values()]) : undefined;
    if (what < 4 || !last) {
      const after = last && random(3) === 0 ? last : undefined;
      made += 1;
      const object = { group: '', version: 'v1', resource: 'pods', name: 'a', ...(random(3) > 0 && { namespace: one(['shop', 'bank']) }) };
      const fresh = incident({
        ...{ id: made.toString(16).padStart(12, '0'), key: `${made}`, detectedAt: now, remediation: one(['a/b', 'c/d']), object },
        ...(after && { key: after.key, object: after.object, remediation: after.remediation, ordinal: made, after: after.id }),
        ...(after && random(2) === 0 && { retry: true as const }),
      });
      const first = step(fresh);
      if (await state.save(first, 0)) known.set(first.id, first);
    } else if (what < 9) {
      const next = { ...step(last), revision: last.revision + 1 };
      // Now and then somebody was faster: then nothing may be counted.
      const expected = random(5) === 0 ? last.revision + 7 : last.revision;
      if (await state.save(next, expected)) known.set(next.id, next);
    } else {
      expired += expireIncidents(database, now - 100, 1 + random(3));
      for (const id of known.keys()) if (!(await state.load(id))) known.delete(id);
    }
    const all = await state.list({ limit: Number.POSITIVE_INFINITY });
    expect(all).toHaveLength(known.size);
    const records = await state.statistics();
    expect({ seed, n, records }).toEqual({ seed, n, records: recordsOf(all) });
    fired = Math.max(fired, ...records.map((record) => record.fired));
  }
  database.close();
  return { steps: 200, fired, expired };
}

describe('the statistics of the state database', () => {
  it('are always what all stored incidents together say, whatever is saved, followed, refused or expired', async () => {
    const lives = [];
    for (let seed = 1; seed <= 25; seed += 1) lives.push(await live(seed));
    // The property means something only where something was counted, and something expired.
    expect(lives.filter(({ fired, expired }) => fired > 3 && expired > 3).length).toBeGreaterThan(15);
  });
});
