import { describe, expect, it } from '@jest/globals';
import { widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';
import { allLive } from './evidence.ts';
import { effectiveMode } from './guards.ts';
import type { Mode } from './input.ts';
import { makePlan, mergePatch } from './plan.ts';
import { clear, fix } from './verdict.ts';

const HOUR = 3_600_000;
const NAME = 'example/mend-widgets';
const FAR = '/apis/example.com/v1/namespaces/prod/widgets/far';
const kind = { group: 'example.com', version: 'v1', resource: 'widgets' };

/** A widget in `shop` whose repair paints a widget in `prod`, or one without a namespace. */
async function acrossNamespaces(modes: Record<string, Mode>): Promise<ToyWorld> {
  const world = new ToyWorld({
    async instead({ cluster }) {
      const far = await cluster.get({ ...kind, namespace: 'prod', name: 'far' });
      if (far?.spec?.color !== 'red') return clear('the far widget is not red');
      const target = { ...kind, namespace: 'prod', name: 'far', ...(far.metadata.uid && { uid: far.metadata.uid }) };
      return fix('the far widget is red', {
        evidence: allLive({ color: 'red' }),
        steps: [mergePatch(target, { spec: { color: 'blue' } }, 'red is an error')],
      });
    },
  });
  world.cluster.create(FAR, { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'red' } });
  for (const [where, mode] of Object.entries(modes)) await world.state.set(`mode/${NAME}${where}`, mode);
  return world;
}

describe('the effective mode of a plan', () => {
  const object = { ...kind, kind: 'Widget', namespace: 'shop', name: 'a' };
  it.each<[string, Record<string, Mode>, (string | undefined)[], Mode]>([
    ['is that of the subject where every target is beside it', { '': 'shadow', '/shop': 'auto' }, ['shop'], 'auto'],
    ['is the strictest over the targets', { '': 'auto', '/shop': 'auto', '/dev': 'approve', '/prod': 'shadow' }, ['dev', 'prod'], 'shadow'],
    ['is no more than that of the subject', { '': 'auto', '/shop': 'approve' }, ['prod'], 'approve'],
    ['is the remediation-wide one for a target without a namespace', { '': 'approve', '/shop': 'auto' }, [undefined], 'approve'],
    ['is shadow for a cluster-wide target where nothing else is set', { '/shop': 'auto' }, [undefined], 'shadow'],
    ['is that of the subject while there is no plan', { '/shop': 'auto' }, [], 'auto'],
  ])('%s', async (_, modes, namespaces, expected) => {
    const world = await acrossNamespaces(modes);
    const steps = namespaces.map((namespace) =>
      mergePatch({ ...kind, ...(namespace && { namespace }), name: 'x' }, { spec: { color: 'blue' } }, 'x'),
    );
    const verdict = { kind: 'fix', because: 'x', evidence: allLive({ x: 1 }), steps } as const;
    const plan = steps.length > 0 ? makePlan(verdict, 'x', 0, '15m') : undefined;
    expect(await effectiveMode(world.state, { remediation: NAME, object }, plan)).toBe(expected);
  });

  it('keeps a namespace in shadow from being written for a subject in a namespace in auto', async () => {
    const world = await acrossNamespaces({ '': 'shadow', '/shop': 'auto', '/prod': 'shadow' });
    await world.fact();
    await world.run(HOUR);
    expect((await world.incident()).state).toBe('shadowed');
    expect(world.cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('asks a person for a target in a namespace in approve, and writes after the approval', async () => {
    const world = await acrossNamespaces({ '': 'shadow', '/shop': 'auto', '/prod': 'approve' });
    await world.fact();
    await world.run(60_000);
    const { state, plan } = await world.incident();
    expect(state).toBe('awaiting-approval');
    expect(world.cluster.writes).toEqual([]);
    expect(await world.say({ kind: 'approve', hash: plan?.hash ?? '', by: 'Ann' })).toBe(true);
    await world.run(HOUR);
    expect(world.cluster.writes.map(({ path }) => path)).toEqual([FAR]);
  });
});

it('counts a breaker of an object for every subject whose repair writes that object', async () => {
  const world = new ToyWorld({
    limits: { breakers: { object: 1, remediation: 99, overall: 99 }, perRemediation: { executions: 50, within: '24h' } },
    async instead({ cluster, question, incident }) {
      const shared = await cluster.get({ ...kind, namespace: 'shop', name: 'b' });
      if (question === 'verify' && shared?.spec?.color === 'blue') return undefined;
      if (shared?.spec?.color !== 'red') return clear('the shared widget is not red');
      return fix(`the shared widget is red: ${incident.object.uid}`, {
        evidence: allLive({ color: 'red' }),
        steps: [mergePatch({ ...kind, namespace: 'shop', name: 'b' }, { spec: { color: 'blue' } }, 'x')],
      });
    },
  });
  world.cluster.change(widgetPath('a'), { spec: { color: 'blue' }, status: { broken: true } });
  await world.mode('auto');
  await world.fact();
  await world.run(HOUR);
  expect((await world.incident()).state).toBe('ineffective');
  // Another subject: the same widget, deleted and created again, with a key of its own.
  world.cluster.remove(widgetPath('a'));
  world.cluster.create(widgetPath('a'), { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'blue' } });
  world.cluster.change(widgetPath('b'), { spec: { color: 'red' } });
  await world.fact();
  await world.run(HOUR);
  const { state, because } = await world.incident();
  expect(`${state}: ${because}`).toMatch(/^refused: .*breaker of widgets shop\/b is open: 1 fixes/);
  expect(world.cluster.writes).toHaveLength(1);
});
