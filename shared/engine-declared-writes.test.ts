import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';
import { ANYTHING } from './write.ts';

const HOUR = 3_600_000;

describe('the engine', () => {
  async function played(toy: Toy): Promise<ToyWorld> {
    const world = new ToyWorld(toy);
    await world.mode('auto');
    await world.fact();
    await world.run(HOUR);
    return world;
  }
  const widgets = { group: 'example.com', resource: 'widgets', worst: 'paint widgets' };

  it.each(['merge-patch', 'json-patch', 'apply'] as const)(
    'refuses a plan (%s) that its definition does not declare, and sends nothing',
    async (step) => {
      const operation = step === 'apply' ? 'apply' : 'patch';
      const world = await played({ kind: step, writes: [{ operation, ...widgets, changes: { '/spec/shade': ANYTHING } }] });
      const { state, because } = await world.incident();
      expect(`${state}: ${because}`).toMatch(
        /^refused: nothing was written: .*goes beyond the writes that this remediation declares: \/spec\/color/,
      );
      expect(world.cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
      expect(world.cluster.get(widgetPath('a'))?.spec?.color).toBe('red');
    },
  );

  it('refuses an undo that its definition does not declare, and sends nothing more', async () => {
    const world = await played({ writes: [{ operation: 'patch', ...widgets, changes: { '/spec/color': '^blue$' } }] });
    expect((await world.incident()).state).toBe('verified');
    const sent = world.cluster.requests.filter(({ method }) => method !== 'GET').length;
    expect(await world.say({ kind: 'undo', by: 'Ann' })).toBe(true);
    await world.run(120_000);
    expect((await world.incident()).because).toMatch(
      /goes beyond the writes that this remediation declares: \/spec\/color would become red/,
    );
    expect(world.cluster.requests.filter(({ method }) => method !== 'GET')).toHaveLength(sent);
  });
});
