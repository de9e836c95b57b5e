import { answer } from '../../shared/answer.ts';
import type { Incident } from '../../shared/incident.ts';
import type { Word } from '../../shared/input.ts';
import { complete, type Fact } from '../../shared/remediation.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { mendWidgets, widgetPath } from '../toy-remediation.ts';
import { memoryArtifacts } from '../toy-world.ts';
import { UnreliableApiServer } from './api-server.ts';
import { type Appointment, Processes } from './processes.ts';
import { type Random, randomOf } from './random.ts';
import { Timeline } from './timeline.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-01-01T00:00:00.500Z');
const SKEW = MINUTE;
const MANY = { executions: 99, within: '24h' } as const;
const ROOMY = { perObject: MANY, perRemediation: MANY, overall: MANY, breakers: { object: 99, remediation: 99, overall: 99 } };

/** One random life: several processes, an unreliable API server and queue, people who change their minds. Everything in it follows from its seed. */
export class Life {
  readonly log: string[] = [];
  readonly broken: string[] = [];
  readonly timeline = new Timeline(START);
  readonly random: Random;
  readonly server: UnreliableApiServer;
  readonly database = openDatabase(':memory:');
  readonly state = new SqliteState(this.database);
  readonly artifacts = memoryArtifacts();
  readonly remediation;
  readonly switches = { mode: 'auto', paused: false };
  #facts = 0;
  healed = false;
  readonly #delayed: Fact[] = [];
  readonly #processes = new Processes(this);

  constructor(seed: number) {
    this.random = randomOf(seed);
    const { pick, chance } = this.random;
    this.server = new UnreliableApiServer(this.timeline, this.random, this.note);
    const kind = pick(['merge-patch', 'json-patch', 'apply'] as const);
    // The pinned documents are of one widget.
    const toy = { kind, twoSteps: kind !== 'apply' && chance(0.4) };
    this.note(JSON.stringify(toy));
    this.remediation = complete('example/mend-widgets', mendWidgets(toy), ROOMY);
    for (const name of ['a', 'b'])
      this.server.cluster.create(widgetPath(name), { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'red' } });
    for (let n = 0; n < 2; n += 1) this.#processes.start();
  }

  /** Lives it to its end: `moves` random moves, then everything heals and three hours pass. */
  async live(moves: number): Promise<void> {
    await this.state.set(`mode/${this.remediation.name}`, 'auto');
    this.#tick();
    for (let n = 0; n < moves; n += 1) await this.#move();
    await this.#heal();
    await this.timeline.pass(3 * HOUR);
  }

  incidents = (): Promise<Incident[]> => this.state.list({ limit: 1_000 });

  note = (line: string): void => void this.log.push(`${String(Math.round((this.timeline.now() - START) / SECOND)).padStart(7)}s ${line}`);

  async #move(): Promise<void> {
    const { pick, between, chance } = this.random;
    const moves: Record<string, () => unknown> = {
      fact: () => this.#give(this.#fact()),
      'the failure': () => {
        this.server.cluster.change(widgetPath('a'), { spec: { color: 'red' }, status: { broken: false } }, 'operator');
        this.#give(this.#fact());
      },
      'fact to two processes': () => {
        const fact = this.#fact();
        this.#give(fact);
        this.#give(fact);
      },
      'delay a fact': () => this.#delayed.push(this.#fact()),
      'a delayed fact': () => {
        const fact = this.#delayed.shift();
        if (fact) this.#give(fact);
      },
      'the last fact again': async () => {
        const [newest] = await this.incidents();
        if (newest) this.#give(newest.fact);
      },
      mutate: () => this.mutate(),
      switch: () => this.switch(),
      'a process dies': () => this.#processes.kill(this.#processes.anyone()),
      'a process starts': () => this.#processes.start(),
      'a clock steps': () => {
        const process = this.#processes.anyone();
        process.offset = chance(0.4) ? 0 : pick([-1, 1]) * pick([5 * SECOND, 40 * SECOND, 5 * MINUTE, HOUR, 24 * HOUR]);
        this.note(`  the clock of ${process.name} is wrong by ${process.offset / SECOND} s`);
      },
      'the storage stops': () => this.server.stopStorage(between(1, 40) * SECOND),
      approve: () => this.#say((incident) => ({ kind: 'approve', by: 'Ann', hash: incident.plan?.hash ?? '' })),
      undo: () => this.#say(() => ({ kind: 'undo', by: 'Ann' })),
      rerun: () => this.#say(() => ({ kind: 'rerun', by: 'Ann' })),
      recover: () => this.#recover(),
    };
    const often = ['the failure', 'the failure', 'the failure', 'fact', 'time', 'time', 'time', 'time', ...Object.keys(moves)];
    const move = pick(often);
    this.note(move);
    if (move === 'time') await this.timeline.pass(pick([1, 5, 15, 31, 31, 45, 90, 300, 700]) * SECOND);
    else await moves[move]?.();
    await this.timeline.rest();
  }

  // People

  async switch(): Promise<void> {
    if (this.random.chance(0.4)) this.switches.paused = !this.switches.paused;
    else this.switches.mode = this.random.pick(['auto', 'auto', 'shadow', 'approve']);
    this.note(`  ${JSON.stringify(this.switches)}`);
    await this.#set();
  }

  async #set(): Promise<void> {
    await this.state.set('paused', this.switches.paused ? 'by Ann' : undefined);
    await this.state.set(`mode/${this.remediation.name}`, this.switches.mode);
  }

  async #say(word: (incident: Incident) => Word): Promise<void> {
    const [incident] = await this.incidents();
    if (!incident) return;
    const { state, remediation } = this;
    const now = this.timeline.now();
    const schedule = { put: async (appointment: Appointment) => this.put(appointment, now) };
    const { taken } = await answer({ state, schedule, remediations: [remediation], id: incident.id, input: word(incident), now });
    this.note(`  ${taken ? 'taken' : 'not taken'} in ${incident.state}`);
  }

  mutate(): void {
    const { pick, chance } = this.random;
    const path = widgetPath('a');
    const patch = pick([
      { spec: { color: 'red' } },
      { spec: { color: 'red' } },
      { spec: { color: 'green' } },
      { spec: { shade: pick(['dark', 'plain']) } },
      { spec: { wish: pick(['green', 'blue']) } },
      { status: { beat: this.random() } },
      { status: { broken: chance(0.3) } },
      'again',
    ]);
    this.note(`  the widget: ${JSON.stringify(patch)}`);
    const { cluster } = this.server;
    if (patch === 'again') {
      cluster.remove(path);
      cluster.create(path, { apiVersion: 'example.com/v1', kind: 'Widget', spec: { color: 'red' } });
    } else cluster.change(path, patch as Record<string, unknown>, pick(['kubectl', 'operator']));
  }

  // Facts and timers

  #fact(): Fact {
    this.#facts += 1;
    const { uid } = this.server.cluster.get(widgetPath('a'))?.metadata ?? {};
    const object = {
      group: 'example.com',
      version: 'v1',
      resource: 'widgets',
      kind: 'Widget',
      namespace: 'shop',
      name: 'a',
      ...(uid && { uid }),
    };
    const coverage = { sources: ['watch' as const], gap: false, dropped: 0 };
    const common = { id: `fact-${this.#facts}`, cluster: 'toy', observedAt: new Date(this.timeline.now()).toISOString(), coverage, object };
    return { ...common, change: 'modified', changed: ['/spec/color'], phantom: false };
  }

  #give(fact: Fact, tries = 0): void {
    const process = this.#processes.anyone();
    this.#processes.run(
      process,
      () => process.engine.fact(this.remediation.name, fact),
      () => {
        if (tries < 5) this.timeline.after(30 * SECOND, () => this.#give(fact, tries + 1));
      },
    );
  }

  /** The queue: a message waits by its own clock, is delivered at least once, and comes again while its handler fails or is silent. */
  put(appointment: Appointment, now: number): void {
    const { chance, between } = this.random;
    const wait = Math.max(0, appointment.at - now);
    if (!this.healed && chance(0.02)) {
      this.note('  a timer is lost');
      return;
    }
    const late = chance(0.05) ? between(1, 120) * SECOND : 0;
    this.timeline.after(wait + late, () => this.#deliver(appointment, 0));
    if (chance(0.05)) this.timeline.after(wait + between(0, 60) * SECOND, () => this.#deliver(appointment, 0));
  }

  #deliver(appointment: Appointment, tries: number): void {
    const process = this.#processes.anyone();
    const now = this.timeline.now() + process.offset;
    const { at, set } = appointment;
    if (at > now && !(set !== undefined && set > now + SKEW)) {
      this.put(appointment, now);
      return;
    }
    const again = () => {
      if (tries < 50) this.timeline.after(30 * SECOND, () => this.#deliver(appointment, tries + 1));
    };
    let over = false;
    const settled = () => {
      over = true;
    };
    this.timeline.after(90 * SECOND, () => over || again());
    this.#processes.run(process, () => process.engine.due(appointment as never), again, settled);
  }

  #tick(): void {
    this.timeline.after(5 * MINUTE, () => {
      this.#recover();
      this.#tick();
    });
  }

  #recover(): void {
    const process = this.#processes.anyone();
    this.#processes.run(process, () => process.engine.recover());
  }

  async #heal(): Promise<void> {
    this.note('everything heals');
    this.healed = true;
    this.server.faulty = false;
    this.#processes.heal();
    Object.assign(this.switches, { mode: 'auto', paused: false });
    await this.#set();
  }
}
