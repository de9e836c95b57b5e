import { createHash } from 'node:crypto';
import type { Envelope } from '../events/fact.ts';
import type { IncidentChanged } from '../events/incident-changed.ts';
import type { ObjectChanged } from '../events/object-changed.ts';
import type { WritesCounted } from '../events/writes-counted.ts';
import { answer } from '../shared/answer.ts';
import type { Artifacts } from '../shared/artifacts/artifacts.ts';
import { Engine, type EngineOptions } from '../shared/engine.ts';
import type { Effect, Incident } from '../shared/incident.ts';
import type { Mode, Word } from '../shared/input.ts';
import { LiveCluster } from '../shared/kubernetes/live-cluster.ts';
import { complete, type Remediation } from '../shared/remediation.ts';
import { SqliteSchedule } from '../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { DOCUMENTS, mendWidgets, type Toy, WIDGETS, widgetPath } from './toy-remediation.ts';
import { runUntil, VirtualClock } from './virtual-clock.ts';

/** When every toy world begins: half a second into a second, since managedFields know whole seconds only. */
export const START = Date.parse('2026-01-01T00:00:00.500Z');

/** What `checkpoint` throws: the process is gone. */
export class Crash extends Error {
  override name = 'Crash';
  override message = 'Crash';
}

/** Artifacts in memory, with the toy's documents. */
export function memoryArtifacts(): Artifacts {
  const texts = new Map(DOCUMENTS);
  return {
    get: async (name) => texts.get(name) ?? Promise.reject(new Error(`no artifact ${name}`)),
    put: async (name, text) => ({
      sha256: createHash('sha256')
        .update(texts.set(name, text) && text)
        .digest('hex'),
    }),
    describe: async (name) => (texts.has(name) ? { sha256: 'pinned' } : undefined),
    list: async (prefix) => [...texts.keys()].filter((name) => name.startsWith(prefix)),
  };
}

/** One cluster, one database, one clock, and as many engines (processes) on them as a test starts. */
export class ToyWorld {
  readonly clock = new VirtualClock(START);
  readonly cluster = new MemoryCluster([WIDGETS], this.clock.now);
  readonly database = openDatabase(':memory:');
  readonly state = new SqliteState(this.database);
  readonly problems: string[] = [];
  readonly told: IncidentChanged[] = [];
  readonly artifacts = memoryArtifacts();
  readonly remediation: Remediation;
  readonly schedule: SqliteSchedule;
  engine: Engine;
  /** Throws while the bus is away. */
  bus = { publish: async (_: Envelope): Promise<void> => undefined };
  checkpoint: NonNullable<EngineOptions['checkpoint']> = () => undefined;
  #engines = 0;

  constructor(toy: Toy = {}) {
    this.remediation = complete('example/mend-widgets', mendWidgets(toy), toy.limits);
    this.schedule = this.newSchedule();
    this.engine = this.newEngine();
    this.schedule.start((appointment) => this.engine.due(appointment));
    this.cluster.create(widgetPath('a'), { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'red' } });
    this.cluster.create(widgetPath('b'), { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'red' } });
  }

  newSchedule = (): SqliteSchedule => new SqliteSchedule(this.database, this.clock, (problem) => this.problems.push(problem));

  newEngine(options: Partial<EngineOptions> = {}): Engine {
    this.#engines += 1;
    return new Engine({
      remediations: [this.remediation],
      access: (name) => ({ examine: () => new LiveCluster(name, this.cluster, this.artifacts), sender: this.cluster }),
      state: this.state,
      schedule: this.schedule,
      bus: {
        publish: async (event) => {
          await this.bus.publish(event);
          this.told.push(event.detail as unknown as IncidentChanged);
        },
      },
      artifacts: this.artifacts,
      now: this.clock.now,
      owner: `process ${this.#engines}`,
      onProblem: (problem) => this.problems.push(problem),
      checkpoint: (point: 'before' | 'performed' | 'stored', effect: Effect, incident: Incident) =>
        this.checkpoint(point, effect, incident),
      ...options,
    });
  }

  /** Another process takes over, as after a crash. */
  async restart(): Promise<void> {
    this.engine = this.newEngine();
    await this.engine.recover();
  }

  mode = (mode: Mode | undefined): Promise<void> => this.state.set(`mode/${this.remediation.name}`, mode);

  /** Hands a fact about widget `a` to the engine. */
  fact = (fact: ObjectChanged | WritesCounted = this.changed()): Promise<void> => this.engine.fact(this.remediation.name, fact);

  /** A new fact: somebody changed the widget. */
  changed(id = `changed-${this.clock.now()}`): ObjectChanged {
    return { ...this.#base(id), change: 'modified', changed: ['/spec/color'], phantom: false };
  }

  /** A new fact: the widget was written at these times (milliseconds). */
  written(at: number[], id = `written-${this.clock.now()}`): WritesCounted {
    const times = at.map((ms) => ({ at: new Date(ms).toISOString(), effect: 'change' as const }));
    const [start = '', end = ''] = [this.clock.now() - 60_000, this.clock.now()].map((ms) => new Date(ms).toISOString());
    const counts = { writes: at.length, changes: at.length, noops: 0, phantoms: 0, errors: 0, codes: {}, actors: [] };
    return { ...this.#base(id), window: { seconds: 60, start, end }, ...counts, recent: times, shape: 'churn' };
  }

  /** Lets time pass. */
  run = (ms: number): Promise<void> => runUntil(this.clock, [this.schedule], this.clock.now() + ms);

  /** The newest incident. */
  async incident(): Promise<Incident> {
    const [newest] = (await this.state.list()).sort((a, b) => b.detectedAt - a.detectedAt || b.ordinal - a.ordinal);
    if (!newest) throw new Error('There is no incident');
    return newest;
  }

  /** What the newest incident went through. */
  states = async (): Promise<string[]> =>
    (await this.incident()).history.map(({ state }) => state).filter((state, n, all) => state !== all[n - 1]);

  /** Everything the history says, as one text. */
  story = async (): Promise<string> => (await this.incident()).history.map(({ state, because }) => `${state}: ${because}`).join('\n');

  async say(input: Word, about?: string): Promise<boolean> {
    const { state, schedule } = this;
    const id = about ?? (await this.incident()).id;
    return (await answer({ state, schedule, remediations: [this.remediation], id, input, now: this.clock.now() })).taken;
  }

  #base(id: string) {
    const { uid } = this.cluster.get(widgetPath('a'))?.metadata ?? {};
    const object = {
      group: 'example.com',
      version: 'v1',
      resource: 'widgets',
      kind: 'Widget',
      namespace: 'shop',
      name: 'a',
      ...(uid && { uid }),
    };
    const observedAt = new Date(this.clock.now()).toISOString();
    return { id, cluster: 'toy', observedAt, coverage: { sources: ['watch' as const], gap: false, dropped: 0 }, object };
  }
}
