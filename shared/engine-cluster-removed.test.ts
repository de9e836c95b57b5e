import { describe, expect, it } from '@jest/globals';
import type { IncidentState } from '../events/incident-changed.ts';
import type { Toy } from '../test/toy-remediation.ts';
import { widgetPath } from '../test/toy-remediation.ts';
import { Crash, ToyWorld } from '../test/toy-world.ts';
import { UnknownClusterError } from './acting.ts';
import { lookDue } from './incident.ts';
import type { Mode } from './input.ts';
import { clear, report, wait } from './verdict.ts';

const DAY = 86_400_000;

/** The cluster is taken out of the configuration; how often it is asked for from then on. */
function remove(world: ToyWorld): () => number {
  let asked = 0;
  world.engine = world.newEngine({
    access: (name) => {
      asked += 1;
      throw new UnknownClusterError(`no cluster "${name}"`);
    },
  });
  return () => asked;
}

interface Case {
  state: IncidentState;
  mode: Mode;
  toy?: Toy;
  /** How it comes to that state after its fact. */
  come?: (world: ToyWorld) => Promise<unknown>;
  ends: 'expired' | 'failed';
  says: RegExp;
}

const nothing = /^the cluster "toy" is not configured any more: nothing was written\. .*kubemend rerun \w+ \(no cluster "toy"\)$/;
const CASES: Case[] = [
  { state: 'planned', mode: 'auto', ends: 'expired', says: nothing },
  { state: 'shadowed', mode: 'shadow', come: (world) => world.run(60_000), ends: 'expired', says: nothing },
  { state: 'reported', mode: 'auto', toy: { instead: () => report('alas') }, ends: 'expired', says: nothing },
  { state: 'waiting', mode: 'auto', toy: { instead: () => wait('not yet', '1m') }, ends: 'expired', says: nothing },
  { state: 'applied', mode: 'auto', come: (world) => world.run(31_000), ends: 'failed', says: /1 step was written and cannot be verified/ },
  { state: 'executing', mode: 'auto', come: sentAndDied, ends: 'failed', says: /more: a request was sent whose result is not known/ },
];

async function sentAndDied(world: ToyWorld): Promise<void> {
  world.checkpoint = (point, effect) => {
    if (point !== 'performed' || effect.kind !== 'write') return;
    world.checkpoint = () => undefined;
    throw new Crash();
  };
  await world.run(31_000);
}

describe('an incident of a cluster that was removed from the configuration', () => {
  it.each(CASES)('ends as $ends when it was $state, and says what it did', async ({ state, mode, toy, come, ends, says }) => {
    const world = new ToyWorld(toy);
    await world.mode(mode);
    await world.fact();
    await come?.(world);
    expect((await world.incident()).state).toBe(state);
    const asked = remove(world);
    await world.run(90 * DAY);
    const incident = await world.incident();
    expect([incident.state, lookDue(incident), incident.effects]).toEqual([ends, undefined, []]);
    expect(incident.because).toMatch(says);
    expect(asked()).toBeLessThan(20);
    expect(world.told.at(-1)).toMatchObject({ state: ends });
  });

  it('that awaits approval ends when its plan expires', async () => {
    const world = new ToyWorld();
    await world.mode('approve');
    await world.fact();
    await world.run(60_000);
    remove(world);
    await world.run(DAY);
    expect((await world.incident()).state).toBe('expired');
  });

  it('keeps a request of unknown result, which is found and undone when the cluster is back', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    await world.fact();
    await sentAndDied(world);
    remove(world);
    await world.run(DAY);
    world.engine = world.newEngine();
    expect(await world.say({ kind: 'undo', by: 'Ann' })).toBe(true);
    await world.run(60_000);
    expect((await world.incident()).state).toBe('undone');
    expect(world.cluster.get(widgetPath('a'))?.spec?.color).toBe('red');
  });

  it('can be asked for again when the cluster is back', async () => {
    const world = new ToyWorld({ instead: () => clear('fine') });
    await world.mode('auto');
    remove(world);
    await expect(world.fact()).rejects.toThrow(UnknownClusterError);
    expect(await world.state.list()).toEqual([]);
  });

  it('does not end because its API server is away', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    await world.fact();
    world.engine = world.newEngine({
      access: () => {
        throw new Error('the token cannot be read');
      },
    });
    await world.run(DAY);
    expect((await world.incident()).state).toBe('reported');
    world.engine = world.newEngine();
    await world.run(DAY);
    expect((await world.incident()).state).toBe('verified');
  });
});
