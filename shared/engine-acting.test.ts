import { expect, it } from '@jest/globals';
import { ToyWorld } from '../test/toy-world.ts';
import { MayNotActError } from './acting.ts';

const HELD = 'the lease of this process ended';
const POINTS = ['before', 'performed', 'stored'] as const;
const EFFECTS = ['examine', 'look', 'prepare', 'write', 'tell'] as const;

/** A whole repair in `auto`, in which the process loses its right to act at one moment. Gives what it sent after that. */
async function lostAt(effect: (typeof EFFECTS)[number], point: (typeof POINTS)[number]) {
  const world = new ToyWorld();
  await world.mode('auto');
  let held: string | undefined;
  let sent: number | undefined;
  let revision = 0;
  // Reading is no act.
  const requests = () => world.cluster.requests.filter(({ method }) => method !== 'GET').length;
  world.engine = world.newEngine({
    mayAct: () => held,
    checkpoint: (reached, { kind }, incident) => {
      if (held || kind !== effect || reached !== point) return;
      held = HELD;
      sent = requests();
      revision = incident.revision;
    },
  });
  await world.fact().catch((error: Error) => expect(error).toBeInstanceOf(MayNotActError));
  // What is due stays due while it may not act, so no time is skipped.
  for (let n = 0; n < 60; n += 1) {
    world.clock.advanceTo(world.clock.now() + 5_000);
    await world.schedule.deliver();
  }
  return { world, revision, sentAfterwards: sent === undefined ? undefined : requests() - sent };
}

const places = EFFECTS.flatMap((effect) => POINTS.map((point) => [effect, point] as const));

it.each(places)(
  'A process that may not act any more sends nothing, and the next one ends the repair with one write (%s, %s)',
  async (effect, point) => {
    const { world, revision, sentAfterwards } = await lostAt(effect, point);
    expect(sentAfterwards).toBe(0);
    expect(revision).toBeGreaterThan(0);
    expect((await world.incident()).state).not.toBe('verified');
    await world.restart();
    await world.run(60 * 60_000);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  },
);

it('A fact that comes while the process may not act opens nothing, so that it can be given again', async () => {
  const world = new ToyWorld();
  const fact = world.changed();
  world.engine = world.newEngine({ mayAct: () => HELD });
  await expect(world.fact(fact)).rejects.toThrow(HELD);
  expect(await world.state.list()).toEqual([]);
  world.engine = world.newEngine({ mayAct: () => undefined });
  await world.fact(fact);
  expect(await world.state.list()).toHaveLength(1);
});
