import { describe, expect, it } from '@jest/globals';
import { MemoryCluster } from '../test/memory-cluster.ts';
import { WIDGETS, widgetPath } from '../test/toy-remediation.ts';
import { START, ToyWorld } from '../test/toy-world.ts';
import type { Mode } from './input.ts';
import { LiveCluster } from './kubernetes/live-cluster.ts';

const EVENTS = '/apis/events.k8s.io/v1/events';
const MARKER = 'hunter2-PROJECTED-NOWHERE';

/** A world whose engine also tells the cluster, and the Events it holds after a whole life of the failure. */
async function life(mode: Mode, change: (world: ToyWorld, told: MemoryCluster) => void = () => undefined) {
  const world = new ToyWorld();
  const told = new MemoryCluster([EVENTS, WIDGETS], world.clock.now);
  world.engine = world.newEngine({
    access: (name) => ({ examine: () => new LiveCluster(name, world.cluster, world.artifacts), sender: world.cluster, announcer: told }),
  });
  world.cluster.change(widgetPath('a'), { spec: { shade: MARKER } });
  await world.mode(mode);
  change(world, told);
  await world.fact().catch(() => world.engine.recover());
  await world.run(3_600_000);
  const { body } = await told.send({ method: 'GET', path: EVENTS });
  return { world, told, events: (body as { items: Record<string, unknown>[] }).items };
}

describe('Events on the object', () => {
  it('show what was found, planned, written and verified', async () => {
    const { events, world } = await life('auto');
    const { id } = await world.incident();
    expect(events.map(({ reason, type }) => [reason, type])).toEqual([
      ['FixPlanned', 'Warning'],
      ['FixApplied', 'Normal'],
      ['FixVerified', 'Normal'],
    ]);
    expect(events[0]).toMatchObject({
      regarding: { apiVersion: 'example.com/v1', kind: 'Widget', namespace: 'shop', name: 'a', uid: 'uid-1' },
      reportingController: 'kubemend.dev/mend-widgets',
      eventTime: new Date(START).toISOString().replace('Z', '000Z'),
      note: `Found, and planned: Paint red widgets blue. Cause: example/widgets#1. It concerns widgets shop/a (merge-patch). More: kubemend explain ${id}`,
    });
  });

  it('hold nothing that was read from an object', async () => {
    const { events, world } = await life('auto');
    expect(JSON.stringify(await world.incident())).toContain(MARKER);
    expect(JSON.stringify(events)).not.toContain(MARKER);
  });

  it('are not written in shadow mode, which writes nothing', async () => {
    const { told } = await life('shadow');
    expect(told.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it.each([
    ['is not allowed', { status: 403, message: 'no' } as const],
    ['gets no answer', 'lost before' as const],
  ])('change nothing when writing them %s', async (_, fault) => {
    const { world, events } = await life('auto', (__, told) => {
      told.intercept = ({ method }) => (method === 'POST' ? fault : undefined);
    });
    expect((await world.incident()).state).toBe('verified');
    expect(world.told.map(({ state }) => state)).toContain('verified');
    expect({ events, problems: world.problems }).toEqual({ events: [], problems: [] });
  });

  it('are there once, when they are told again after a crash', async () => {
    let died = false;
    const { events } = await life('auto', (world) => {
      world.checkpoint = (point, effect) => {
        if (point !== 'performed' || effect.kind !== 'tell' || effect.state !== 'planned' || died) return;
        died = true;
        throw new Error('the process died after telling');
      };
    });
    expect(died).toBe(true);
    expect(events.filter(({ reason }) => reason === 'FixPlanned')).toHaveLength(1);
  });
});
