import { expect, it } from '@jest/globals';
import { widgetPath } from '../test/toy-remediation.ts';
import { Crash, ToyWorld } from '../test/toy-world.ts';
import type { Evidence } from './evidence.ts';
import type { Fact } from './remediation.ts';

const RUNS = 300;

/** mulberry32: the same seed gives the same run. */
function randomFrom(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const valuesOf = (evidence: Evidence = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(evidence).map(([name, { value }]) => [name, value]));

const KINDS = ['merge-patch', 'json-patch', 'apply'] as const;

/** One random life: returns every step it took, and everything that broke a promise. */
async function live(seed: number): Promise<{ log: string[]; broken: string[]; writes: number }> {
  const random = randomFrom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const log: string[] = [];
  const broken: string[] = [];
  const world = new ToyWorld({
    kind: pick(KINDS),
    limits: { perObject: { executions: 99, within: '24h' }, breakers: { object: 99, remediation: 99, overall: 99 } },
  });
  const delayed: Fact[] = [];
  const switches = { mode: 'auto', paused: false };
  const writer = { incident: '', plan: '' };
  const attempts: { n: number; incident: string; plan: string; found: string; off: boolean }[] = [];
  const written = new Map<string, number>();
  let crashIn = Number.POSITIVE_INFINITY;

  const path = widgetPath('a');
  const change = (patch: Record<string, unknown>) => () => world.cluster.change(path, patch, pick(['kubectl', 'operator']));
  const mutations: Record<string, () => void> = {
    red: change({ spec: { color: 'red' } }),
    green: change({ spec: { color: 'green' } }),
    dark: change({ spec: { shade: 'dark' } }),
    plain: change({ spec: { shade: 'plain' } }),
    'wish green': change({ spec: { wish: 'green' } }),
    'wish blue': change({ spec: { wish: 'blue' } }),
    beat: () => world.cluster.change(path, { status: { beat: random() } }),
    broken: change({ status: { broken: true } }),
    whole: change({ status: { broken: false } }),
    again: () => {
      world.cluster.remove(path);
      world.cluster.create(path, { spec: { color: 'red' } });
    },
  };
  const mutate = (): void => {
    const what = pick(Object.keys(mutations));
    log.push(`  ${what}`);
    mutations[what]?.();
  };
  const set = async (): Promise<void> => {
    if (random() < 0.5) switches.paused = !switches.paused;
    else switches.mode = pick(['auto', 'auto', 'shadow', 'approve']);
    log.push(`  ${JSON.stringify(switches)}`);
    await world.state.set('paused', switches.paused ? 'yes' : undefined);
    await world.mode(switches.mode as 'auto');
  };

  world.checkpoint = (point, effect, incident) => {
    crashIn -= 1;
    if (crashIn <= 0) {
      log.push(`  crash ${point} ${effect.kind}`);
      crashIn = Number.POSITIVE_INFINITY;
      throw new Crash();
    }
    if (point === 'before' && effect.kind === 'write')
      Object.assign(writer, { incident: incident.id, plan: JSON.stringify(valuesOf(incident.plan?.evidence)) });
    if (random() < 0.05) mutate();
    if (random() < 0.01) void set();
  };
  world.cluster.intercept = ({ method, path: asked }, n) => {
    if (random() < 0.03) mutate();
    const faulty = random() < (method === 'GET' ? 0.02 : 0.1);
    const fault = faulty
      ? pick([{ status: 500, message: 'boom' }, { status: 409, message: 'modified' }, 'lost before', 'lost after'] as const)
      : undefined;
    const { color, shade = 'plain' } = world.cluster.get(path)?.spec ?? {};
    if (method === 'PATCH' && !asked.includes('dryRun') && fault !== 'lost before')
      attempts.push({ n, ...writer, found: JSON.stringify({ color, shade }), off: switches.paused || switches.mode === 'shadow' });
    return fault;
  };

  /** Looks at what was stored since the last look. */
  const audit = (): void => {
    for (const { n, incident, plan, found, off } of attempts.splice(0)) {
      if (!world.cluster.requests[n - 1]?.stored) continue;
      const count = (written.get(`${incident} ${plan}`) ?? 0) + 1;
      written.set(`${incident} ${plan}`, count);
      log.push(`  WRITE by ${incident}`);
      if (count > 1) broken.push(`incident ${incident} wrote ${count} times`);
      if (off) broken.push(`wrote while ${JSON.stringify(switches)}`);
      if (found !== plan) broken.push(`wrote on ${found} by a plan for ${plan}`);
    }
    if (world.cluster.writes.some(({ dryRun }) => dryRun)) broken.push('a dry run was stored');
  };
  const guarded = async (action: () => Promise<unknown>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Crash)) broken.push(`${(error as Error).stack}`);
    }
    audit();
  };

  const moves: Record<string, () => Promise<unknown>> = {
    fact: () => world.fact(world.changed(`fact-${seed}-${log.length}`)),
    'fact twice at once': () => {
      const fact = world.changed(`fact-${seed}-${log.length}`);
      return Promise.all([world.fact(fact), world.fact(fact)]);
    },
    'delay a fact': async () => void delayed.push(world.changed(`fact-${seed}-${log.length}`)),
    'a delayed fact': async () =>
      delayed.length > 0 && (await world.fact(delayed.splice(Math.floor(random() * delayed.length), 1)[0] as Fact)),
    'an old fact again': async () => world.state.list().then(([incident]) => incident && world.fact(incident.fact)),
    time: () => world.run(pick([500, 5_000, 31_000, 31_000, 120_000, 700_000])),
    'much time': () => world.run(pick([3_600_000, 90_000_000])),
    mutate: async () => mutate(),
    set,
    'crash soon': async () => {
      crashIn = Math.ceil(random() * 12);
    },
    restart: () => world.restart(),
    approve: async () => {
      const [{ plan } = {}] = await world.state.list();
      return plan && world.say({ kind: 'approve', hash: plan.hash, by: 'Ann' });
    },
  };
  const often = ['fact', 'fact', 'time', 'time', 'time', ...Object.keys(moves)];
  await world.mode('auto');
  for (let n = 0; n < 30; n += 1) {
    const move = pick(often);
    log.push(move);
    await guarded(moves[move] ?? (async () => undefined));
  }
  return {
    log,
    broken: [...broken, ...world.problems.filter((problem) => !/Crash|failed and is tried again/.test(problem))],
    writes: world.cluster.writes.length,
  };
}

it(`keeps its promises in ${RUNS} random lives`, async () => {
  let writes = 0;
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const life = await live(seed);
    writes += life.writes;
    if (life.broken.length > 0) throw new Error(`Seed ${seed}: ${life.broken.join('\n')}\n${life.log.join('\n')}`);
  }
  // A run in which nothing was ever written would prove nothing.
  expect(writes).toBeGreaterThan(RUNS / 3);
});
