import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BurstLetter, Letter, Letters } from './letter.ts';

/** Two connections to one new and empty store, as two processes have them. */
export interface LetterStores {
  one: Letters;
  two: Letters;
  close(): Promise<void>;
}

const letter = (key: string, version: number, pendingSince?: number): BurstLetter => ({
  ...{ kind: 'burst', key, version, pendingSince, refusals: 0, lost: 0, opened: [1] },
});
/** As JSON keeps it: what is undefined is not there. */
const stored = (one: Letter): unknown => JSON.parse(JSON.stringify(one));

/** What every `Letters` must do. */
export function lettersContract(name: string, make: () => Promise<LetterStores>): void {
  describe(`${name} keeps the contract of letters:`, () => {
    let stores: LetterStores;
    beforeEach(async () => {
      stores = await make();
    });
    afterEach(() => stores.close());
    const keys = async (limit = 100) => (await stores.two.pending(limit)).map(({ key }) => key);

    it('what one stores the other reads, whatever is in its name', async () => {
      const { one, two } = stores;
      const key = 'storm/strimzi/x@prod “ü”#1';
      expect(await two.load(key)).toBeUndefined();
      expect(await one.save(letter(key, 1))).toBe(true);
      expect(await two.load(key)).toEqual(stored(letter(key, 1)));
    });

    it('a version is stored once, after the one before it', async () => {
      const { one, two } = stores;
      expect(await two.save(letter('a', 2, 5))).toBe(false);
      expect(await Promise.all([one.save(letter('a', 1, 7)), two.save(letter('a', 1, 8))])).toEqual(expect.arrayContaining([true, false]));
      expect(await Promise.all([one.save(letter('a', 2, 9)), two.save(letter('a', 2))])).toEqual(expect.arrayContaining([true, false]));
      for (const version of [1, 2, 4]) expect(await one.save(letter('a', version))).toBe(false);
      const now = await two.load('a');
      expect([now?.version, await keys()]).toEqual([2, now?.pendingSince === undefined ? [] : ['a']]);
    });

    it('what is to be told is listed at once, oldest first, and no longer than that', async () => {
      const { one } = stores;
      for (const [key, since] of [
        ['late', 30],
        ['b', 20],
        ['first', 9],
        ['a', 20],
      ] as const)
        await one.save(letter(key, 1, since));
      await one.save(letter('told', 1));
      expect(await keys()).toEqual(['first', 'a', 'b', 'late']);
      expect(await keys(2)).toEqual(['first', 'a']);
      await one.save(letter('first', 2));
      await one.save(letter('late', 2, 30));
      expect(await keys()).toEqual(['a', 'b', 'late']);
      await one.save(letter('first', 3, 40));
      expect(await keys()).toEqual(['a', 'b', 'late', 'first']);
    });

    it('who is late takes nothing out of the list, and puts nothing into it', async () => {
      const { one, two } = stores;
      await one.save(letter('a', 1, 10));
      await one.save(letter('a', 2, 10));
      expect(await two.save(letter('a', 2))).toBe(false);
      expect(await keys()).toEqual(['a']);
      await one.save(letter('a', 3));
      expect(await two.save(letter('a', 3, 10))).toBe(false);
      expect(await keys()).toEqual([]);
    });

    it('a letter of two thousand members comes back whole', async () => {
      const { one, two } = stores;
      const members = Array.from({ length: 2_000 }, (_, n) => ({
        ...{ incident: `${n}`.padStart(12, '0'), object: `shop/w-${n}`, state: 'planned' as const, detectedAt: 'then', change: `${n}/1.0` },
      }));
      const storm: Letter = {
        ...{ kind: 'storm', key: 's', version: 1, pendingSince: 1, refusals: 0, lost: 0, title: 't', remediation: 'r' },
        ...{ cluster: 'c', since: 'then', members },
      };
      expect(await one.save(storm)).toBe(true);
      expect(await two.load('s')).toEqual(storm);
    });
  });
}
