import { describe, expect, it } from '@jest/globals';
import { MemoryCluster } from '../test/memory-cluster.ts';
import { type Toy, WIDGETS, widgetPath } from '../test/toy-remediation.ts';
import { START, ToyWorld } from '../test/toy-world.ts';
import type { Mode } from './input.ts';
import { LiveCluster } from './kubernetes/live-cluster.ts';
import { report } from './verdict.ts';

const EVENTS = '/apis/events.k8s.io/v1/events';
const MARKER = 'hunter2-PROJECTED-NOWHERE';

/** A world whose engine also tells the cluster, and the Events it holds after a whole life of the failure. */
async function life(mode: Mode, change: (world: ToyWorld, told: MemoryCluster) => void = () => undefined, toy: Toy = {}) {
  const world = new ToyWorld(toy);
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

  /** Goes on after the fix, and gives the Events that came of it. */
  async function afterwards(mode: Mode, happens: (world: ToyWorld) => unknown): Promise<object[]> {
    const { world, told, events } = await life(mode);
    await happens(world);
    await world.run(3_600_000);
    const { body } = await told.send({ method: 'GET', path: EVENTS });
    return (body as { items: object[] }).items.slice(events.length);
  }
  const by = 'Ann';
  const undo = (world: ToyWorld) => world.say({ kind: 'undo', by });

  it('say that nothing was undone and why, and not again that the fix helped', async () => {
    const paused = await afterwards('auto', async (world) => {
      await world.state.set('paused', 'Bob');
      await undo(world);
    });
    expect(paused).toMatchObject([
      {
        ...{ reason: 'UndoRefused', action: 'Undo', type: 'Warning' },
        note: expect.stringMatching(
          /^The fix was not taken back \(nothing was undone: kubemend is paused. To go on, run: kubemend resume\): Paint/,
        ),
      },
    ]);
  });

  it('keep to themselves why nothing was undone, where that tells what an object holds', async () => {
    const changed = await afterwards('auto', async (world) => {
      world.cluster.change(widgetPath('a'), { spec: { color: MARKER } });
      await undo(world);
      expect((await world.incident()).undo).toBeDefined();
    });
    expect(changed).toMatchObject([{ reason: 'UndoRefused', note: expect.stringMatching(/^The fix was not taken back: Paint/) }]);
    expect(JSON.stringify(changed)).not.toContain(MARKER);
  });

  it('say that it was undone, once', async () => {
    expect(await afterwards('auto', undo)).toMatchObject([{ reason: 'FixUndone' }]);
  });

  it('say which gate was closed', async () => {
    const { events } = await life('auto', (world) => void world.state.tally('overall', 'x'), {
      limits: { breakers: { object: 9, remediation: 9, overall: 1 } },
    });
    expect(events.at(-1)).toMatchObject({
      reason: 'FixRefused',
      note: expect.stringMatching(/^Not written \(nothing was written: the breaker of kubemend is open: 1 fixes did not help\..*\): Paint/),
    });
  });

  it('say who said no, and nothing of what he said', async () => {
    const { events } = await life('approve', (world) => {
      world.checkpoint = async (point, effect) => {
        if (point === 'stored' && effect.kind === 'tell' && effect.state === 'awaiting-approval')
          await world.say({ kind: 'reject', by, because: MARKER });
      };
    });
    expect(events.map(({ reason }) => reason)).toEqual(['FixPlanned', 'FixAwaitsApproval', 'FixRefused']);
    expect(events.at(-1)?.note).toMatch(/^Not written \(Ann said no\): Paint/);
    expect(JSON.stringify(events)).not.toContain(MARKER);
  });

  it('say nothing when a report is only worded another way', async () => {
    let pods = 3;
    const instead = () => {
      pods += 1;
      return report(`${pods} pods are late`);
    };
    const { events } = await life('auto', () => undefined, { instead });
    expect(events.map(({ reason }) => reason)).toEqual(['FailureReported']);
    expect(pods).toBeGreaterThan(6);
  });

  it('are no longer than the API server takes, in bytes', async () => {
    const { events } = await life('auto', ({ remediation }) => Object.assign(remediation, { title: 'Größe – ✓'.repeat(200) }));
    for (const { note } of events as { note: string }[]) {
      expect(Buffer.byteLength(note)).toBeGreaterThan(1_000);
      expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
      expect(note).toMatch(/^[^\ufffd]+ More: kubemend explain \w{12}$/);
    }
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
