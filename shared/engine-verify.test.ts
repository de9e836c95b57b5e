import { describe, expect, it } from '@jest/globals';
import { type Toy, widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';
import { allLive } from './evidence.ts';
import { mergePatch } from './plan.ts';
import { fix, wait } from './verdict.ts';

async function auto(toy: Toy = {}): Promise<ToyWorld> {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  return world;
}

describe('a fix', () => {
  it('is not verified when the failure is counted again after the settle time', async () => {
    const world = await auto({ limits: { stableFor: '5m' } });
    await world.fact();
    await world.run(120_000);
    const now = world.clock.now();
    await world.fact(world.written([now - 3_000, now - 2_000, now - 1_000]));
    await world.run(600_000);
    expect(await world.story()).toMatch(/ineffective: nothing is wrong any more as far as can be seen, and the failure goes on/);
  });

  it.each([
    ['writes from before the fix', (applied: number) => [applied - 3_000, applied - 2_000, applied - 1_000]],
    ['one late write within the settle time', (applied: number) => [applied - 2_000, applied - 1_000, applied + 20_000]],
    ['fewer writes after it than the rule asks for', (applied: number) => [applied - 1_000, applied + 40_000, applied + 41_000]],
  ])('is verified in spite of %s', async (_, at) => {
    const world = await auto({ limits: { stableFor: '2m' } });
    await world.fact();
    await world.run(75_000);
    const { appliedAt = 0 } = (await world.incident()).verification ?? {};
    await world.fact(world.written(at(appliedAt)));
    await world.run(600_000);
    expect((await world.incident()).state).toBe('verified');
  });

  it('is judged by the newest fact, also when an older one arrives after it', async () => {
    const world = await auto({ limits: { stableFor: '5m' } });
    const late = world.written([world.clock.now()], 'written-long-ago');
    await world.fact();
    await world.run(120_000);
    const now = world.clock.now();
    world.cluster.intercept = () => ({ status: 500, message: 'not now' });
    await world.fact(world.written([now - 3_000, now - 2_000, now - 1_000]));
    await world.fact(late);
    world.cluster.intercept = () => undefined;
    await world.run(600_000);
    expect((await world.incident()).state).toBe('ineffective');
  });

  it('that takes its time is waited for', async () => {
    const world = await auto();
    world.cluster.change(widgetPath('a'), { status: { slow: true } });
    await world.fact();
    await world.run(240_000);
    expect((await world.incident()).state).toBe('applied');
    world.cluster.change(widgetPath('a'), { status: { slow: false } });
    await world.run(120_000);
    expect((await world.incident()).state).toBe('verified');
  });
});

describe('a wait', () => {
  it('comes back when it asked to, with what it remembered, also in another process', async () => {
    const seen: unknown[] = [];
    const world = await auto({
      instead: ({ incident, now }) => {
        seen.push(incident.memory);
        return seen.length < 4 ? wait(`look ${seen.length}`, '20s', { looks: seen.length, now }) : undefined;
      },
    });
    await world.fact();
    await world.run(20_000);
    await world.restart();
    await world.run(25_000);
    expect(seen.map((memory) => (memory as { looks?: number } | undefined)?.looks)).toEqual([undefined, 1, 2]);
    await world.run(600_000);
    expect((await world.incident()).state).toBe('verified');
  });

  it('ignores an appointment that is not the newest', async () => {
    const world = await auto({ instead: () => wait('not yet', '20s') });
    await world.fact();
    const { id, look, revision } = await world.incident();
    await world.engine.due({ incident: id, token: (look?.token ?? 0) + 7, at: 0 });
    await world.engine.due({ incident: '0123456789ab', token: 1, at: 0 });
    expect((await world.incident()).revision).toBe(revision);
  });
});

describe('a repair of two plans', () => {
  it('confirms and writes the second only after the first had its effect, each once', async () => {
    const world = await auto({
      instead: () => {
        const [a, b] = ['a', 'b'].map((name) => world.cluster.get(widgetPath(name)));
        if (a?.spec?.color !== 'blue' || b?.spec?.color !== 'red') return undefined;
        const target = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: 'b', uid: b.metadata.uid };
        const steps = [mergePatch(target, { spec: { color: 'blue' } }, 'now the other')];
        return fix('the other is red', { evidence: allLive({ other: 'red' }), steps, continues: true });
      },
    });
    await world.fact();
    await world.run(600_000);
    expect(await world.states()).toEqual(['detected', 'planned', 'executing', 'applied', 'planned', 'executing', 'applied', 'verified']);
    expect(world.cluster.writes.map(({ path }) => path)).toEqual([widgetPath('a'), widgetPath('b')]);
  });

  it('asks a person first when its plan says so, also in auto mode', async () => {
    const world = await auto({
      instead: ({ question }) => {
        const { metadata, spec } = world.cluster.get(widgetPath('a')) ?? { metadata: { name: 'a' } };
        if (question === 'verify' || spec?.color !== 'red') return undefined;
        const target = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: 'a', uid: metadata.uid };
        const steps = [mergePatch(target, { spec: { color: 'blue' } }, 'cannot be made good')];
        return fix('it is red', { evidence: allLive({ color: 'red' }), steps, approval: 'always' });
      },
    });
    await world.fact();
    await world.run(60_000);
    const { state, plan } = await world.incident();
    expect(state).toBe('awaiting-approval');
    expect(world.cluster.writes).toEqual([]);
    await world.say({ kind: 'approve', hash: plan?.hash ?? '', by: 'Ann' });
    await world.run(600_000);
    expect((await world.incident()).state).toBe('verified');
    expect(world.cluster.writes).toHaveLength(1);
  });
});
