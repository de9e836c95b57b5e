import { describe, expect, it } from '@jest/globals';
import { instanceNames, type Release, scale } from '../../../test/scenarios/kubeblocks/arithmetic.ts';
import { hasOrdinals, isPlain, type Naming, names, planRaise, retryMakes, templateOf } from './names.ts';

const PARENT = 'c';
const of = (...ordinals: number[]): string[] => ordinals.map((ordinal) => `${PARENT}-${ordinal}`);

describe('the names of instances', () => {
  it.each<[number, number[], number[]]>([
    [3, [], [0, 1, 2]],
    [2, [1], [0, 2]],
    [2, [2], [0, 1]],
    [2, [7], [0, 1]],
    [2, [0, 1], [2, 3]],
    [0, [1], []],
  ])('of %d replicas without %j are %j', (replicas, offline, expected) => {
    const component = { replicas, offlineInstances: of(...offline) };
    expect([...names(PARENT, component)]).toEqual(of(...expected));
    expect(instanceNames(PARENT, component)).toEqual(of(...expected));
  });

  it('come from each template first, then from the component', () => {
    const component = { replicas: 4, instances: [{ name: 'big', replicas: 2 }, { name: 'one' }], offlineInstances: ['c-big-0', 'c-0'] };
    expect([...names(PARENT, component)]).toEqual(['c-big-1', 'c-big-2', 'c-one-0', 'c-1']);
  });

  it.each<[string, string]>([
    ['c-2', ''],
    ['c-big-2', 'big'],
    ['c-a-b-2', 'a-b'],
  ])('%s is made of template "%s"', (pod, template) => expect(templateOf(PARENT, pod)).toBe(template));

  it.each<[string, Partial<Naming>, boolean]>([
    ['plain replicas', {}, true],
    ['empty ordinals', { ordinals: {} }, true],
    ['ordinal ranges', { ordinals: { ranges: [{ start: 3, end: 5 }] } }, false],
    ['discrete ordinals of a template', { instances: [{ name: 'a', ordinals: { discrete: [4] } }] }, false],
    ['flat ordinals', { flatInstanceOrdinal: true }, false],
    ['the instance API', { enableInstanceAPI: true }, false],
  ])('with %s: follow from the replicas = %s', (_, component, plain) => expect(isPlain({ replicas: 1, ...component })).toBe(plain));

  it('knows ordinals when it sees them', () =>
    expect([undefined, {}, { ranges: [] }, { ranges: [1] }].map(hasOrdinals)).toEqual([false, false, false, true]));
});

const RELEASES: Release[] = ['1.0.0', '0.9.3', '1.0.1', '0.9.4'];
type Row = { replicas: number; missing: number[] };
const row = (replicas: number, ...missing: number[]): Row => ({ replicas, missing });

describe('what each release makes of bringing instances online', () => {
  it.each<[number, number[], number[], string, Row, Row, Row]>([
    [2, [2], [2], 'the last', row(2, 2), row(3), row(3)],
    [2, [1], [1], 'one in the middle', row(3), row(3), row(3)],
    [1, [1, 2], [1, 2], 'the last two', row(1, 1, 2), row(3), row(3)],
    [1, [1, 2], [2], 'the last of two', row(1, 2), row(2), row(1, 2)],
    [4, [1, 5], [1, 5], 'one in the middle and the last', row(5, 5), row(6), row(5, 5)],
    [3, [4], [4], 'one beyond a gap', row(3, 4), row(3, 4), row(3, 4)],
  ])('%d replicas without %j, asked for %j (%s)', (replicas, offline, online, _, defective, fixed, heuristic) => {
    const scaled = RELEASES.map((release) => {
      const request = { scaleOut: { offlineInstancesToOnline: of(...online) } };
      const after = scale(release, PARENT, { replicas, offlineInstances: of(...offline) }, request);
      const expected = names(PARENT, after);
      const missing = of(...online).filter((name) => !expected.has(name));
      return {
        release,
        replicas: after.replicas,
        missing,
        waits: missing.every((name) => after.creates.includes(name)) && missing.length > 0,
      };
    });
    const says = ({ replicas: after, missing }: Row, waits: boolean) => ({
      replicas: after,
      missing: of(...missing),
      waits: waits && missing.length > 0,
    });
    // Only 1.0.0 waits for what it will not create: the others end, having lost the request.
    expect(scaled).toEqual([
      { release: '1.0.0', ...says(defective, true) },
      { release: '0.9.3', ...says(defective, false) },
      { release: '1.0.1', ...says(fixed, false) },
      { release: '0.9.4', ...says(heuristic, false) },
    ]);
  });

  it.each<[number, number[], number[], number | 'ordinal gap' | 'nothing missing']>([
    [2, [], [2], 3],
    [1, [], [1, 2], 3],
    [1, [1], [2], 2],
    [5, [], [1, 5], 6],
    [3, [], [4], 'ordinal gap'],
    [3, [], [1], 'nothing missing'],
  ])('then %d replicas without %j lack %j: the plan is %s', (replicas, offline, online, expected) => {
    const plan = planRaise(PARENT, { replicas, offlineInstances: of(...offline) }, of(...online));
    expect(plan.ok ? plan.next.replicas : plan.because).toBe(expected);
  });

  it('raises the template a missing pod is made of, and refuses one it does not know', () => {
    const component = { replicas: 3, instances: [{ name: 'big', replicas: 1 }, { name: 'one' }] };
    expect(planRaise(PARENT, component, ['c-big-1'])).toMatchObject({
      next: { replicas: 4, instances: [{ name: 'big', replicas: 2 }, { name: 'one' }] },
    });
    expect(planRaise(PARENT, component, ['c-one-1'])).toMatchObject({
      next: { replicas: 4, instances: [{}, { name: 'one', replicas: 2 }] },
    });
    expect(planRaise(PARENT, component, ['c-other-0'])).toEqual({ ok: false, because: 'unknown template' });
    expect(component.replicas).toBe(3);
  });
});

describe('a plan, whatever the component', () => {
  it('never makes a pod that was not asked for', () => {
    const random = randomFrom(9_000);
    const seen = { raised: 0, refused: 0, retried: 0, notRetried: 0 };
    for (let turn = 0; turn < 20_000; turn += 1) {
      const component = someComponent(random);
      const online = someNames(random, 3);
      const cleared = { ...component, offlineInstances: component.offlineInstances.filter((name) => !online.includes(name)) };
      const plan = planRaise(PARENT, cleared, online);
      seen[plan.ok ? 'raised' : 'refused'] += 1;
      if (plan.ok) expect(new Set(added(cleared, plan.next))).toEqual(new Set(online.filter((name) => !names(PARENT, cleared).has(name))));

      const offline = { ...component, offlineInstances: [...new Set([...component.offlineInstances, ...online])] };
      const retries = retryMakes(PARENT, offline, online);
      seen[retries ? 'retried' : 'notRetried'] += 1;
      const request = { scaleOut: { offlineInstancesToOnline: online, replicaChanges: online.length } };
      const plain = { replicas: offline.replicas, offlineInstances: offline.offlineInstances };
      if (retries && component.instances.length === 0) {
        for (const release of RELEASES) expect(new Set(added(plain, scale(release, PARENT, plain, request)))).toEqual(new Set(online));
      }
    }
    // Both answers are common: the property is not empty.
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(500);
  });
});

/** What comes; nothing may go. */
function added(before: Naming, after: Naming): string[] {
  const was = names(PARENT, before);
  const is = names(PARENT, after);
  expect([...was].filter((name) => !is.has(name))).toEqual([]);
  return [...is].filter((name) => !was.has(name));
}

/** Deterministic numbers in [0, below). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const someNames = (random: (below: number) => number, most: number): string[] => [
  ...new Set(Array.from({ length: 1 + random(most) }, () => `${PARENT}${['', '', '', '-big', '-one'][random(5)]}-${random(6)}`)),
];

function someComponent(random: (below: number) => number) {
  const instances = ['big', 'one'].slice(0, random(3)).map((name) => ({ name, ...(random(2) > 0 && { replicas: random(3) }) }));
  const least = instances.reduce((sum, { replicas = 1 }: { replicas?: number }) => sum + replicas, 0);
  return { replicas: least + random(5), instances, offlineInstances: random(2) > 0 ? someNames(random, 4) : [] };
}
