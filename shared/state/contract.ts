import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Incident } from '../incident.ts';
import { OVERALL } from './scope.ts';
import type { State } from './state.ts';

/** Two connections to one new and empty store, as two processes have them. */
export interface Stores {
  one: State;
  two: State;
  close(): Promise<void>;
}

/** An incident that is complete enough to be stored. */
export const incident = (over: Partial<Incident> = {}): Incident => ({
  id: 'abcdef012345',
  key: 'example/mend/toy/uid-1',
  ordinal: 1,
  cluster: 'toy',
  remediation: 'example/mend',
  object: { group: '', version: 'v1', resource: 'pods', name: 'a' },
  revision: 1,
  state: 'detected',
  because: 'ümlaut “quoted”',
  detectedAt: 1,
  updatedAt: 1,
  fact: {} as Incident['fact'],
  factIds: [],
  doubts: 0,
  changes: 0,
  effects: [],
  history: [],
  ...over,
});

/** What every `State` must do: the engine's guarantees rest on these sentences. */
export function stateContract(name: string, make: () => Promise<Stores>): void {
  describe(`${name} keeps the State contract:`, () => {
    let stores: Stores;
    beforeEach(async () => {
      stores = await make();
    });
    afterEach(() => stores.close());

    it('an incident is created once', async () => {
      const saved = await Promise.all([stores.one.save(incident(), 0), stores.two.save(incident({ because: 'other' }), 0)]);
      expect(saved.filter(Boolean)).toHaveLength(1);
      expect(await stores.one.load('abcdef012345')).toEqual(await stores.two.load('abcdef012345'));
    });

    it('an incident of a key and ordinal is created once, whatever its id', async () => {
      expect(await stores.one.save(incident(), 0)).toBe(true);
      expect(await stores.two.save(incident({ id: 'ffff00000000' }), 0)).toBe(false);
    });

    it('a revision replaces only the one it was made from', async () => {
      await stores.one.save(incident(), 0);
      const saved = await Promise.all([
        stores.one.save(incident({ revision: 2, because: 'one' }), 1),
        stores.two.save(incident({ revision: 2, because: 'two' }), 1),
      ]);
      expect(saved.filter(Boolean)).toHaveLength(1);
      expect((await stores.one.load('abcdef012345'))?.because).toBe(saved[0] ? 'one' : 'two');
      expect(await stores.one.save(incident({ revision: 9 }), 8)).toBe(false);
      expect(await stores.one.save(incident({ id: 'ffff00000000', revision: 2 }), 1)).toBe(false);
    });

    it('what is stored comes back equal', async () => {
      const full = incident({
        memory: { deep: [1, null, 'x'] },
        look: { at: 5, token: 2 },
        history: [{ at: 1, state: 'detected', because: 'b' }],
      });
      await stores.one.save(full, 0);
      expect(await stores.two.load(full.id)).toEqual(full);
    });

    it('the newest incident of a key is the latest', async () => {
      expect(await stores.one.latest('example/mend/toy/uid-1')).toBeUndefined();
      await stores.one.save(incident(), 0);
      await stores.one.save(incident({ id: 'bbbb00000000', ordinal: 2 }), 0);
      await stores.one.save(incident({ id: 'cccc00000000', ordinal: 10 }), 0);
      await stores.one.save(incident({ id: 'dddd00000000', ordinal: 99, key: 'example/mend/toy/uid-10' }), 0);
      expect((await stores.two.latest('example/mend/toy/uid-1'))?.ordinal).toBe(10);
    });

    it('an id may be shortened while it names one incident', async () => {
      await stores.one.save(incident(), 0);
      await stores.one.save(incident({ id: 'abcd99999999', ordinal: 2 }), 0);
      expect((await stores.one.load('abcde'))?.ordinal).toBe(1);
      for (const id of ['abcd', 'abc', 'abcdeX', '*', 'ABCDE', 'abcdef0123456', ''])
        expect({ id, found: await stores.one.load(id) }).toEqual({ id, found: undefined });
    });

    it('lists the newest first, all or only what has work left', async () => {
      await stores.one.save(incident({ updatedAt: 1 }), 0);
      await stores.one.save(incident({ id: 'bbbb00000000', ordinal: 2, updatedAt: 3, effects: [{ id: '1.0', kind: 'prepare' }] }), 0);
      await stores.one.save(incident({ id: 'cccc00000000', ordinal: 3, updatedAt: 2 }), 0);
      expect((await stores.two.list()).map(({ ordinal }) => ordinal)).toEqual([2, 3, 1]);
      expect((await stores.two.list({ limit: 1 })).map(({ ordinal }) => ordinal)).toEqual([2]);
      expect((await stores.two.list({ unfinished: true })).map(({ ordinal }) => ordinal)).toEqual([2]);
      await stores.one.save(incident({ id: 'bbbb00000000', ordinal: 2, revision: 2, effects: [] }), 1);
      expect(await stores.two.list({ unfinished: true })).toEqual([]);
    });

    it('lists and counts only those that have not ended, only failures, or both', async () => {
      const states = ['planned', 'verified', 'waiting', 'cleared', 'reported'] as const;
      for (const [n, state] of states.entries())
        await stores.one.save(incident({ id: `${n}000aaaaaaaa`, ordinal: n + 1, state, updatedAt: n + 1 }), 0);
      const listed = async (filter: Parameters<State['list']>[0]) => (await stores.two.list(filter)).map(({ state }) => state);
      expect(await listed({ failures: true })).toEqual(['reported', 'verified', 'planned']);
      expect(await listed({ open: true })).toEqual(['reported', 'waiting', 'planned']);
      expect(await listed({ open: true, failures: true })).toEqual(['reported', 'planned']);
      expect(await listed({ failures: true, limit: 2 })).toEqual(['reported', 'verified']);
      expect(await listed({ limit: Number.POSITIVE_INFINITY })).toHaveLength(5);
      const counts = [{}, { open: true }, { failures: true }, { open: true, failures: true }].map((filter) => stores.two.count(filter));
      expect(await Promise.all(counts)).toEqual([5, 3, 3, 2]);
      await stores.one.save(incident({ id: '0000aaaaaaaa', ordinal: 1, revision: 2, state: 'refused', updatedAt: 9 }), 1);
      expect(await stores.two.count({ open: true, failures: true })).toBe(1);
    });

    it('finds the ids that begin alike', async () => {
      for (const [n, id] of ['abcd00000001', 'abcd00000002', 'abce00000003'].entries())
        await stores.one.save(incident({ id, ordinal: n + 1 }), 0);
      expect(await stores.two.idsLike('abcd', 10)).toEqual(['abcd00000001', 'abcd00000002']);
      expect(await stores.two.idsLike('abcd', 1)).toEqual(['abcd00000001']);
      expect(await Promise.all(['abc', '*', '', 'ffff'].map((prefix) => stores.two.idsLike(prefix, 10)))).toEqual([[], [], [], []]);
    });

    it('says how often each remediation was right, and counts a failure once', async () => {
      const planned = [{ at: 1, state: 'shadowed' as const, because: 'b' }];
      const object = { group: '', version: 'v1', resource: 'pods', namespace: 'shop', name: 'a' };
      const keep = (ordinal: number, over: Partial<Incident>) =>
        stores.one.save(incident({ id: `${ordinal}000aaaaaaaa`, ordinal, history: planned, object, ...over }), 0);
      expect(await stores.two.statistics()).toEqual([]);
      await keep(1, { state: 'shadowed' });
      await keep(2, { state: 'verified' });
      await keep(3, { state: 'ineffective', after: '2000aaaaaaaa' });
      await keep(4, { state: 'cleared', history: [] });
      const [overall, inShop] = await stores.two.statistics();
      expect(overall).toMatchObject({ remediation: 'example/mend', fired: 2, confirmed: 0, byItself: 0, wrong: 1, open: 1 });
      expect(inShop).toMatchObject({ namespace: 'shop', fired: 2, wrong: 1, open: 1 });
      await stores.one.save(incident({ id: '1000aaaaaaaa', ordinal: 1, revision: 2, history: planned, object, state: 'verified' }), 1);
      expect((await stores.two.statistics())[0]).toMatchObject({ fired: 2, confirmed: 1, wrong: 1, open: 0 });
    });

    it('lists what was left, the longest first: work nobody touched since, and looks that are overdue', async () => {
      const work = [{ id: '1.0', kind: 'prepare' as const }];
      let made = 0;
      const keep = (because: string, over: Partial<Incident>) => {
        made += 1;
        return stores.one.save(incident({ id: `${made}000aaaaaaaa`, ordinal: made, because, updatedAt: 900, ...over }), 0);
      };
      await keep('work, touched since', { effects: work, updatedAt: 500 });
      await keep('work', { effects: work, updatedAt: 300, look: { at: 5, token: 1 } });
      await keep('look', { state: 'planned', look: { at: 100, token: 1 } });
      await keep('later look', { state: 'cleared', look: { at: 350, token: 1 } });
      await keep('look that is not overdue', { state: 'planned', look: { at: 400, token: 1 }, updatedAt: 1 });
      await keep('look nobody waits for', { state: 'refused', look: { at: 1, token: 1 }, updatedAt: 1 });
      await keep('nothing', { state: 'shadowed', updatedAt: 1 });
      const left = async (limit?: number) => (await stores.two.left({ touched: 500, due: 400 }, limit)).map(({ because }) => because);
      expect(await left()).toEqual(['look', 'work', 'later look']);
      expect(await left(2)).toEqual(['look', 'work']);
      expect((await stores.two.list()).map(({ updatedAt }) => updatedAt)).toEqual([900, 900, 500, 300, 1, 1, 1]);
      await stores.one.save(incident({ id: '3000aaaaaaaa', ordinal: 3, revision: 2, state: 'verified', look: undefined }), 1);
      expect(await left()).toEqual(['work', 'later look']);
      expect((await stores.two.list()).map(({ id }) => id)).toHaveLength(7);
    });

    it('lists looks that are due only after a time, which a clock that ran ahead may have set', async () => {
      await stores.one.save(incident({ id: '1000aaaaaaaa', state: 'planned', because: 'near', look: { at: 500, token: 1 } }), 0);
      await stores.one.save(incident({ id: '2000aaaaaaaa', ordinal: 2, state: 'planned', because: 'far', look: { at: 900, token: 1 } }), 0);
      const left = await stores.two.left({ touched: 0, due: 0, beyond: 600 });
      expect(left.map(({ because }) => because)).toEqual(['far']);
    });

    it('a lease that ends later than any lease may was taken by a clock that ran ahead, and holds nobody back', async () => {
      expect(await stores.one.lease('x', 'a', 86_400_000, 86_370_000)).toBe(true);
      expect(await stores.two.lease('x', 'b', 30_000, 0)).toBe(true);
      expect(await stores.one.lease('x', 'a', 31_000, 1_000)).toBe(false);
    });

    it('an execution that was counted in the future counts from now on', async () => {
      const spend = (execution: string, at: number) =>
        stores.one.spend({ scope: 'remediation/example/mend/prod', execution, at, since: at - 86_400_000, limit: 1 });
      const now = 1e12;
      expect(await spend('a', now + 3e11)).toBe(true);
      expect(await spend('b', now)).toBe(false);
      expect(await spend('c', now + 86_400_001)).toBe(true);
    });

    it('a lease has one owner until it runs out, is renewed by its owner, and released by its owner only', async () => {
      const taken = await Promise.all([stores.one.lease('x', 'a', 1_000, 0), stores.two.lease('x', 'b', 1_000, 0)]);
      expect(taken.filter(Boolean)).toHaveLength(1);
      const [owner, other] = taken[0] ? ['a', 'b'] : ['b', 'a'];
      expect(await stores.one.lease('x', owner as string, 2_000, 500)).toBe(true);
      expect(await stores.two.lease('x', other as string, 9_000, 1_999)).toBe(false);
      await stores.two.release('x', other as string);
      expect(await stores.two.lease('x', other as string, 9_000, 1_999)).toBe(false);
      expect(await stores.two.lease('y', other as string, 9_000, 0)).toBe(true);
      expect(await stores.two.lease('x', other as string, 9_000, 2_000)).toBe(true);
      expect(await stores.one.lease('x', owner as string, 9_000, 2_001)).toBe(false);
      await stores.two.release('x', other as string);
      expect(await stores.one.lease('x', owner as string, 9_000, 2_001)).toBe(true);
    });

    it('a budget counts an execution once, never more than its limit, and forgets what is too old', async () => {
      const spend = (store: State, execution: string, at: number) =>
        store.spend({ scope: 'object/example/mend/toy/s', execution, at, since: at - 100, limit: 2 });
      expect(await spend(stores.one, 'a', 1_000)).toBe(true);
      expect(await Promise.all([spend(stores.one, 'a', 1_001), spend(stores.two, 'a', 1_001)])).toEqual([true, true]);
      const rest = await Promise.all(['b', 'c', 'd', 'e'].map((execution, n) => spend(n % 2 ? stores.one : stores.two, execution, 1_010)));
      expect(rest.filter(Boolean)).toHaveLength(1);
      expect(await spend(stores.two, 'a', 1_020)).toBe(true);
      expect(await spend(stores.two, 'f', 1_099)).toBe(false);
      expect(await spend(stores.two, 'f', 1_100)).toBe(true);
      expect(await stores.one.spend({ scope: 'object/example/mend/toy/other', execution: 'z', at: 1_100, since: 1_000, limit: 1 })).toBe(
        true,
      );
      expect(await stores.one.spend({ scope: OVERALL, execution: 'z', at: 1_100, since: 1_000, limit: 0 })).toBe(false);
    });

    it('a breaker counts an incident once, and is reset with the scopes below it', async () => {
      const [scope, below, beside] = ['remediation/example/mend/b', 'remediation/example/mend/b/c', 'remediation/example/mend/bc'];
      await Promise.all([stores.one.tally(scope, 'a1'), stores.two.tally(scope, 'a1'), stores.two.tally(scope, 'a2')]);
      await stores.one.tally(beside, 'a1');
      await stores.one.tally(below, 'a1');
      await stores.one.tally(OVERALL, 'a1');
      expect(await Promise.all([scope, below, 'remediation/example/mend'].map((one) => stores.two.tallied(one)))).toEqual([2, 1, 0]);
      expect(await stores.two.tallies()).toEqual({ [OVERALL]: 1, [scope]: 2, [below]: 1, [beside]: 1 });
      await stores.two.reset(scope);
      expect(await Promise.all([scope, below, beside].map((one) => stores.one.tallied(one)))).toEqual([0, 0, 1]);
      await stores.two.reset(OVERALL);
      expect(await stores.one.tallies()).toEqual({ [beside]: 1 });
    });

    it('a setting is what was set last, or nothing', async () => {
      expect(await stores.one.setting('paused')).toBeUndefined();
      await stores.one.set('paused', 'by Ann');
      await stores.two.set('mode/x', 'auto');
      await stores.two.set('mode/x', 'shadow');
      expect(await stores.two.setting('paused')).toBe('by Ann');
      expect(await stores.one.settings()).toEqual({ 'mode/x': 'shadow', paused: 'by Ann' });
      await stores.one.set('paused', undefined);
      await stores.one.set('paused', undefined);
      expect(await stores.two.settings()).toEqual({ 'mode/x': 'shadow' });
    });
  });
}
