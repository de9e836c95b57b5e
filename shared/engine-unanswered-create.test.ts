import { describe, expect, it } from '@jest/globals';
import { hung } from '../test/hung-write.ts';
import { allLive } from './evidence.ts';
import { targetOf } from './plan.ts';
import type { Examination } from './remediation.ts';
import { clear, fix } from './verdict.ts';

const HOUR = 3_600_000;
const WIDGET = { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'blue' } };
const widget = (name: string) => ({ group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name });

/** Plans to create widget `c`, or to delete widget `b`, while that is still to be done. */
const toDo = {
  create: async ({ cluster }: Examination) =>
    (await cluster.get(widget('c')))
      ? clear('the widget is there')
      : fix('the widget is missing', {
          evidence: allLive({ there: false }),
          steps: [
            { kind: 'create', target: widget('c'), reason: 'test', object: { ...WIDGET, metadata: { name: 'c', namespace: 'shop' } } },
          ],
        }),
  delete: async ({ cluster }: Examination) => {
    const live = await cluster.get(widget('b'));
    if (!live) return clear('the widget is gone');
    const steps = [{ kind: 'delete' as const, target: targetOf(widget('b'), live), reason: 'test' }];
    return fix('the widget has to go', { evidence: allLive({ there: true }), steps });
  },
};

describe.each(['create', 'delete'] as const)('a %s that hangs', (kind) => {
  const target = `target/example.com/widgets/toy/shop/${kind === 'create' ? 'c' : 'b'}`;

  it.each([20, 40])('and takes effect after %i s is one write in the cluster and in the record', async (seconds) => {
    const { world, commit } = await hung({ instead: toDo[kind] });
    await world.restart();
    await world.run(seconds * 1_000);
    await commit();
    await world.fact();
    await world.run(HOUR);
    const incident = await world.incident();
    expect([incident.state, incident.execution?.written]).toEqual(['verified', [expect.objectContaining({ how: 'found' })]]);
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('and never takes effect stays leased until it no longer can, and is then written once', async () => {
    const { world } = await hung({ instead: toDo[kind] });
    await world.restart();
    for (let second = 0; (await world.incident()).state === 'executing' && second < 120; second += 1) {
      const isFree = await world.state.lease(target, 'another incident', world.clock.now() + 1, world.clock.now());
      expect({ second, isFree }).toEqual({ second, isFree: false });
      await world.run(1_000);
    }
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  });
});
