import { describe, expect, it } from '@jest/globals';
import { hung, isWrite } from '../test/hung-write.ts';
import { widgetPath } from '../test/toy-remediation.ts';
import { Crash, ToyWorld } from '../test/toy-world.ts';
import { LiveCluster } from './kubernetes/live-cluster.ts';
import type { Request } from './kubernetes/transport.ts';
import { judge } from './statistics.ts';

const HOUR = 3_600_000;
describe.each(['merge-patch', 'json-patch', 'apply'] as const)('a write that hangs (%s)', (kind) => {
  it.each([20, 25, 40, 59])(
    'and takes effect after %i s is one write in the cluster and in the record, and can be undone',
    async (seconds) => {
      const { world, commit } = await hung({ kind });
      await world.restart();
      await world.run(seconds * 1_000);
      await commit();
      await world.fact();
      await world.run(HOUR);
      const incident = await world.incident();
      expect([incident.state, incident.execution?.written]).toEqual(['verified', [expect.objectContaining({ how: 'found' })]]);
      expect(incident.byHand).toBeUndefined();
      expect(world.cluster.writes).toHaveLength(1);
      expect(await world.say({ kind: 'undo', by: 'Ann' })).toBe(true);
      await world.run(60_000);
      expect(world.cluster.get(widgetPath('a'))?.spec?.color).toBe('red');
    },
  );

  it('and never takes effect stays unknown and leased until it no longer can, and is then written once', async () => {
    const { world, isLeased } = await hung({ kind });
    await world.restart();
    for (let second = 0; (await world.incident()).state === 'executing' && second < 120; second += 1) {
      expect({ second, leased: await isLeased() }).toEqual({ second, leased: true });
      await world.run(1_000);
    }
    expect(await world.story()).toMatch(/waiting: nothing was written: the process ended before it wrote, and the request can no longer/);
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('and takes effect although it was given up is found before anything else is decided, and never called done by hand', async () => {
    const { world, commit } = await hung({ kind });
    await world.restart();
    await world.run(90_000);
    expect(await world.story()).toMatch(/the request can no longer take effect\nplanned/);
    await commit();
    await world.run(HOUR);
    expect(await world.story()).toMatch(/applied: step 1 was written after all: its answer was lost\nverified/);
    expect((await world.incident()).byHand).toBeUndefined();
    expect(judge(await world.incident())).toBe('confirmed');
    expect(world.cluster.writes).toHaveLength(1);
    expect(await world.say({ kind: 'undo', by: 'Ann' })).toBe(true);
  });

  it('and is answered after it was given up is recorded by the process that has the answer', async () => {
    const { world, commit, answer } = await hung({ kind });
    await world.state.set('paused', 'Ann');
    await world.restart();
    await world.run(110_000);
    expect(await world.story()).toMatch(/kubemend is paused/);
    await answer(await commit());
    expect((await world.incident()).execution?.written).toMatchObject([{ how: 'wrote' }]);
    expect((await world.incident()).state).toBe('applied');
  });
});

describe('a request without an answer', () => {
  it('of an undo is looked for too: what was undone is not called untouched', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    await world.fact();
    await world.run(HOUR);
    world.checkpoint = (point, effect) => {
      if (point !== 'performed' || effect.kind !== 'write') return;
      world.checkpoint = () => undefined;
      throw new Crash();
    };
    await world.say({ kind: 'undo', by: 'Ann' });
    await world.run(1_000);
    expect(world.cluster.get(widgetPath('a'))?.spec?.color).toBe('red');
    await world.restart();
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('undone');
    expect((await world.incident()).undo?.execution?.written).toMatchObject([{ how: 'found' }]);
    expect(world.cluster.writes).toHaveLength(2);
  });

  it('can be undone when it took effect after its incident had ended', async () => {
    const { world, commit } = await hung();
    await world.restart();
    await world.run(60_000);
    await world.state.set(`mode/${world.remediation.name}`, 'shadow');
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('shadowed');
    const hash = (await world.incident()).plan?.hash ?? '';
    expect(await world.say({ kind: 'reject', by: 'Ann', because: 'no', hash })).toBe(true);
    await commit();
    expect(await world.say({ kind: 'undo', by: 'Ann' })).toBe(true);
    await world.run(60_000);
    expect((await world.incident()).state).toBe('undone');
    expect(world.cluster.get(widgetPath('a'))?.spec?.color).toBe('red');
  });

  it('is still looked for when its timer was lost and a fact comes', async () => {
    const { world } = await hung();
    await world.restart();
    await world.run(1_000);
    world.database.exec('DELETE FROM schedule');
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('executing');
    await world.fact();
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('that is not there is not undone, and the incident says so', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    await world.fact();
    world.cluster.intercept = (request) => (isWrite(request) ? 'lost before' : undefined);
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('failed');
    expect(await world.say({ kind: 'undo', by: 'Ann' })).toBe(true);
    await world.run(60_000);
    expect((await world.incident()).because).toBe('nothing was undone: no request of this incident is known to have taken effect');
  });
});

describe('an answer without an object', () => {
  const odd: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['a page of a proxy', '<html>'],
    ['a Status', { kind: 'Status', status: 'Success' }],
    ['another object', { metadata: { name: 'other', resourceVersion: '1' } }],
    ['metadata of another shape', { metadata: { name: 'a', managedFields: 'none' } }],
  ];
  it.each(odd)('to a write (200 and %s) is inconclusive: the object says what came of it', async (_, body) => {
    const world = new ToyWorld();
    await world.mode('auto');
    await world.fact();
    const { send } = world.cluster;
    const sender = { send: async (request: Request) => (isWrite(request) ? { ...(await send(request)), body } : send(request)) };
    world.engine = world.newEngine({
      access: (name) => ({ examine: () => new LiveCluster(name, world.cluster, world.artifacts), sender }),
    });
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('verified');
    expect((await world.incident()).execution?.written).toMatchObject([{ how: 'found' }]);
    expect(world.cluster.writes).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });

  it.each(odd)('to the read before a write (200 and %s) writes nothing until the object can be read', async (_, body) => {
    const world = new ToyWorld();
    await world.mode('auto');
    await world.fact();
    const { send } = world.cluster;
    let odd = 1;
    const sender = {
      send: async (request: Request) => (request.method === 'GET' && odd-- > 0 ? { ...(await send(request)), body } : send(request)),
    };
    world.engine = world.newEngine({
      access: (name) => ({ examine: () => new LiveCluster(name, world.cluster, world.artifacts), sender }),
    });
    await world.run(HOUR);
    expect(await world.story()).toMatch(/waiting: nothing was written: .*could not be read before writing: .*200 without the object/);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });
});

describe('a process that was stopped', () => {
  it.each(['monotonic', 'now'] as const)('between storing an attempt and sending it sends nothing (by its %s clock)', async (clock) => {
    const world = new ToyWorld();
    await world.mode('auto');
    await world.fact();
    let stopped = 0;
    const time = {
      monotonic: () => world.clock.now() + (clock === 'monotonic' ? stopped : 0),
      now: () => world.clock.now() + (clock === 'now' ? stopped : 0),
    };
    const { send } = world.cluster;
    // It is stopped for a minute where nothing can notice: after the guards were asked.
    const sender = {
      send: async (request: Request) => {
        const answer = await send(request);
        if (request.method === 'GET' && stopped === 0) stopped = 60_000;
        return answer;
      },
    };
    world.engine = world.newEngine({
      ...time,
      access: (name) => ({ examine: () => new LiveCluster(name, world.cluster, world.artifacts), sender }),
    });
    await world.run(31_000);
    expect(world.cluster.writes).toEqual([]);
    expect(await world.story()).toMatch(
      /nothing was written: (this process was stopped for 60 s before it could send|the locks were taken too long ago)/,
    );
  });
});
