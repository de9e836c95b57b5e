import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Appointment, Schedule } from './schedule.ts';

/** A schedule under test, with time in its hands. */
export interface ScheduleUnderTest {
  schedule: Schedule;
  now(): number;
  /** Lets time pass and waits until what is due was delivered. */
  pass(ms: number): Promise<void>;
  /** Called for each delivery; it may throw. */
  onDelivery(handler: (appointment: Appointment) => Promise<void>): void;
  /** Another process takes over. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What every `Schedule` must do: a look is never early and never lost. It may come more than once, and a replaced one may come too: the token tells. */
export function scheduleContract(name: string, make: () => Promise<ScheduleUnderTest>): void {
  describe(`${name} keeps the Schedule contract:`, () => {
    let under: ScheduleUnderTest;
    let delivered: (Appointment & { deliveredAt: number })[];
    beforeEach(async () => {
      under = await make();
      delivered = [];
      under.onDelivery(async (appointment) => void delivered.push({ ...appointment, deliveredAt: under.now() }));
    });
    afterEach(() => under.close());
    const tokens = (incident = 'i') => delivered.filter((appointment) => appointment.incident === incident).map(({ token }) => token);

    it('an appointment comes when it is due, to the second, never early', async () => {
      const at = under.now() + 13_000;
      await under.schedule.put({ incident: 'i', token: 3, at });
      await under.pass(12_900);
      expect(delivered).toEqual([]);
      await under.pass(1_100);
      expect(delivered).toMatchObject([{ incident: 'i', token: 3 }]);
      expect((delivered[0]?.deliveredAt ?? 0) - at).toBeLessThanOrEqual(1_000);
    });

    it('the newest look of an incident comes, whichever was put last', async () => {
      const now = under.now();
      await under.schedule.put({ incident: 'i', token: 5, at: now + 20_000 });
      await under.schedule.put({ incident: 'i', token: 4, at: now + 60_000 });
      await under.schedule.put({ incident: 'j', token: 1, at: now + 5_000 });
      await under.pass(21_000);
      expect(tokens()).toContain(5);
      expect(tokens('j')).toContain(1);
    });

    it('a wake-up stands beside a look', async () => {
      const at = under.now() + 5_000;
      await under.schedule.put({ incident: 'i', token: 5, at });
      await under.schedule.put({ incident: 'i', token: 'wake', at });
      await under.pass(6_000);
      expect(tokens().map(String).sort()).toEqual(['5', 'wake']);
    });

    it('no wake-up replaces another', async () => {
      const now = under.now();
      await under.schedule.put({ incident: 'i', token: 'wake', at: now + 20_000 });
      await under.schedule.put({ incident: 'i', token: 'wake', at: now + 5_000 });
      await under.pass(6_000);
      expect(tokens()).toEqual(['wake']);
      await under.pass(15_000);
      expect(tokens()).toEqual(['wake', 'wake']);
    });

    it('an appointment whose handler failed comes again', async () => {
      let failures = 2;
      under.onDelivery(async (appointment) => {
        failures -= 1;
        if (failures >= 0) throw new Error('not now');
        delivered.push({ ...appointment, deliveredAt: under.now() });
      });
      await under.schedule.put({ incident: 'i', token: 5, at: under.now() });
      await under.pass(1_000);
      expect(delivered).toEqual([]);
      for (let n = 0; n < 20 && delivered.length === 0; n += 1) await under.pass(60_000);
      expect(tokens()).toEqual([5]);
    });

    it('a look put while the old one is handled is not lost', async () => {
      let puts = 0;
      under.onDelivery(async (appointment) => {
        delivered.push({ ...appointment, deliveredAt: under.now() });
        puts += 1;
        if (puts < 4) await under.schedule.put({ incident: 'i', token: puts, at: under.now() + 1_000 });
      });
      await under.schedule.put({ incident: 'i', token: 0, at: under.now() });
      await under.pass(10_000);
      expect(tokens()).toEqual([0, 1, 2, 3]);
    });

    it('what came due while nothing ran comes after the restart', async () => {
      await under.schedule.put({ incident: 'i', token: 5, at: under.now() + 86_400_000 });
      await under.restart();
      await under.pass(86_401_000);
      expect(tokens()).toContain(5);
    });
  });
}
