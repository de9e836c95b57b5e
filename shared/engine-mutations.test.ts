import { describe, expect, it } from '@jest/globals';
import { widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';

/** A moment between two of the four questions: `happen` is called there, once, before the time runs on. */
const MOMENTS: Record<string, (world: ToyWorld, happen: () => void) => void> = {
  'between the first and the second question': (_, happen) => happen(),
  'between the second and the third question': (world, happen) => atCheckpoint(world, 'prepare', happen),
  'between the third question and the write': (world, happen) => atCheckpoint(world, 'write', happen),
  'while the write is on its way': (world, happen) => {
    const once = onlyOnce(happen);
    world.cluster.intercept = ({ method, path }) => {
      if (method === 'PATCH' && !path.includes('dryRun')) once();
      return undefined;
    };
  },
};

const moments = (...names: number[]): string[] => Object.keys(MOMENTS).filter((_, n) => names.length === 0 || names.includes(n));

interface Mutation {
  what: string;
  happen: (world: ToyWorld) => void;
  at?: string[];
  says: RegExp;
}

const change = (patch: Record<string, unknown>, manager?: string) => (world: ToyWorld) =>
  world.cluster.change(widgetPath('a'), patch, manager);
const metadata = (inner: Record<string, unknown>, manager?: string) => change({ metadata: inner }, manager);
const set = (name: string, value: string) => (world: ToyWorld) => void world.state.set(name, value);
const MODE = 'mode/example/mend-widgets';
/** Read only by questions: what the server stores moves the resourceVersion too, so a lock catches it afterwards. */
const ANY =
  /resolved: the widget|nothing was written: .*(changed after it was read|modified|test|UID|rejected our request)|the answer changed|planned: the widget is red|does not exist/;

const MUTATIONS: Mutation[] = [
  { what: 'somebody fixed it', happen: change({ spec: { color: 'green' } }), says: /resolved: the widget is not red/ },
  { what: 'it was deleted', happen: (world) => world.cluster.remove(widgetPath('a')), says: /resolved: the widget is gone/ },
  {
    what: 'it was deleted and made again, as broken as before',
    happen: (world) => {
      world.cluster.remove(widgetPath('a'));
      world.cluster.create(widgetPath('a'), { spec: { color: 'red' } });
    },
    says: /resolved: the widget is gone/,
  },
  { what: 'something else of it changed', happen: metadata({ labels: { seen: 'yes' } }), at: moments(2, 3), says: /nothing was written: / },
  { what: 'its status changed', happen: change({ status: { seen: true } }), at: moments(2, 3), says: /nothing was written: / },
  { what: 'the deciding evidence changed', happen: change({ spec: { shade: 'dark' } }), says: ANY },
  { what: 'the plan would be another', happen: change({ spec: { wish: 'green' } }), says: ANY },
  { what: 'Argo CD took it over', happen: metadata({ labels: { 'argocd.argoproj.io/instance': 'shop' } }), says: /belongs to Argo CD/ },
  { what: 'Argo CD manages its fields', happen: metadata({ labels: { a: 'b' } }, 'argocd-controller'), says: /belongs to Argo CD/ },
  { what: 'Flux took it over', happen: metadata({ labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop' } }), says: /belongs to Flux/ },
  { what: 'OLM took it over', happen: metadata({ labels: { 'operators.coreos.com/widgets.shop': '' } }), says: /belongs to OLM/ },
  {
    what: 'a Helm release took it over',
    happen: metadata({ annotations: { 'meta.helm.sh/release-name': 'shop' } }),
    says: /belongs to a Helm release/,
  },
  { what: 'the mode was set back to shadow', happen: set(MODE, 'shadow'), at: moments(0, 1, 2), says: /shadow/ },
  { what: 'the mode was set to approve', happen: set(MODE, 'approve'), at: moments(0, 1, 2), says: /awaiting-approval|not approved/ },
  { what: 'kubemend was paused', happen: set('paused', 'by Ann'), at: moments(0, 1, 2), says: /kubemend is paused/ },
  {
    what: 'the remediation was paused',
    happen: set('paused/example/mend-widgets', 'by Ann'),
    at: moments(0, 1, 2),
    says: /kubemend is paused/,
  },
];

const ROWS = MUTATIONS.flatMap(({ at = moments(), ...mutation }) => at.map((moment) => ({ moment, ...mutation })));

describe.each(['merge-patch', 'json-patch', 'apply'] as const)('nothing is written (%s) when', (kind) => {
  it.each(ROWS)('$what $moment', async ({ happen, moment, says }) => {
    const world = new ToyWorld({ kind });
    await world.mode('auto');
    await world.fact();
    MOMENTS[moment]?.(world, () => happen(world));
    await world.run(31_000);
    expect(world.cluster.writes).toEqual([]);
    expect(await world.story()).toMatch(says);
    expect(world.problems).toEqual([]);
  });
});

describe('ownership', () => {
  it('of a source that would revert us is a report with advice', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    world.cluster.change(widgetPath('a'), { metadata: { annotations: { 'meta.helm.sh/release-name': 'shop' } } }, 'helm');
    await world.fact();
    await world.run(3_600_000);
    const [, reported] = (await world.incident()).history;
    expect(reported).toMatchObject({
      state: 'reported',
      verdict: { kind: 'report', advice: [expect.stringMatching(/Change it in its source: red is an error/)] },
    });
    expect(world.cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('does not follow from helm among the managers: a chart installs crds/ once and never upgrades them', async () => {
    const world = new ToyWorld();
    await world.mode('auto');
    world.cluster.change(widgetPath('a'), { spec: { size: 1 } }, 'helm');
    await world.fact();
    await world.run(600_000);
    expect((await world.incident()).state).toBe('verified');
  });
});

it('A plan whose target never rests is reported after a few attempts, not tried for ever', async () => {
  const world = new ToyWorld();
  await world.mode('auto');
  let n = 0;
  world.cluster.intercept = ({ method }) => {
    if (method === 'PATCH') n += 1;
    if (method === 'PATCH') world.cluster.change(widgetPath('a'), { status: { beat: n } });
    return undefined;
  };
  await world.fact();
  await world.run(590_000);
  expect((await world.incident()).because).toMatch(/changes faster than it can be carried out/);
  expect(n).toBe(6);
  expect(world.cluster.writes).toEqual([]);
});

function atCheckpoint(world: ToyWorld, kind: string, happen: () => void): void {
  const once = onlyOnce(happen);
  world.checkpoint = (point, effect) => {
    if (point === 'before' && effect.kind === kind) once();
  };
}

function onlyOnce(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) {
      done = true;
      action();
    }
  };
}
