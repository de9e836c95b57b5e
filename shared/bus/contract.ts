import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Envelope } from '../../events/fact.ts';
import type { Pattern } from '../../events/pattern.ts';
import type { Bus } from './bus.ts';

/** A bus under test. */
export interface BusUnderTest {
  bus: Bus;
  /** Makes a rule; the answer collects what it is given, without what a bus adds by itself. */
  rule(pattern: Pattern): Promise<() => Promise<Omit<Envelope, 'id'>[]>>;
  close(): Promise<void>;
}

const event = (state: string, source = 'kubemend'): Envelope => ({
  id: `${state}/1.0`,
  source,
  'detail-type': 'Incident Changed',
  time: '2026-11-21T04:05:06.000Z',
  detail: { state, because: 'ümlaut “quoted”', deep: [{ n: 1.5, none: null }] },
});

/** What every `Bus` must do: what is published arrives, whole, at every rule that matches, and at no other. */
export function busContract(name: string, make: () => Promise<BusUnderTest>): void {
  describe(`${name} keeps the Bus contract:`, () => {
    let under: BusUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close());
    const { id: _, ...whole } = event('planned');

    it('an event arrives whole at every rule that matches, and nowhere else', async () => {
      const [all, planned, facts] = await Promise.all([
        under.rule({ source: ['kubemend'] }),
        under.rule({ detail: { state: ['planned', 'applied'] } }),
        under.rule({ source: ['kubernetes'] }),
      ]);
      await under.bus.publish(event('planned'));
      await under.bus.publish(event('verified'));
      expect((await all?.())?.map(({ detail }) => detail.state).sort()).toEqual(['planned', 'verified']);
      expect(await planned?.()).toEqual([whole]);
      expect(await facts?.()).toEqual([]);
    });

    it('an event that nobody asked for is published all the same', async () => {
      await under.bus.publish(event('planned'));
      const late = await under.rule({ source: ['kubemend'] });
      expect(await late()).toEqual([]);
    });
  });
}
