import { Engine } from '../../shared/engine.ts';
import type { Incident } from '../../shared/incident.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import type { Request } from '../../shared/kubernetes/transport.ts';
import { Crash } from '../toy-world.ts';
import type { SentWrite } from './api-server.ts';
import type { Life } from './life.ts';

const SECOND = 1_000;

/** A process with an engine: it can die, be stopped, and have a wrong clock. */
export interface Process {
  name: string;
  engine: Engine;
  dead: boolean;
  /** How far its clock is wrong, milliseconds. */
  offset: number;
  /** What it writes now. */
  writing: SentWrite['by'] | undefined;
}

export interface Appointment {
  incident: string;
  token: number | 'wake';
  at: number;
  set?: number | undefined;
}

/** The processes of a life, their deaths, stops and wrong clocks. */
export class Processes {
  readonly #life: Life;
  #all: Process[] = [];
  #names = 0;
  #running = 0;

  constructor(life: Life) {
    this.#life = life;
  }

  run(process: Process, action: () => Promise<unknown>, failed: () => void = () => undefined, settled: () => void = () => undefined): void {
    this.#running += 1;
    action()
      .catch((error: Error) => {
        if (!(error instanceof Crash) && !process.dead && !/fault|socket hang up|no answer/.test(error.message))
          this.#life.broken.push(`${error.stack}`);
        failed();
      })
      .finally(() => {
        this.#running -= 1;
        settled();
      });
  }

  anyone(): Process {
    return this.#life.random.pick(this.#all.filter(({ dead }) => !dead));
  }

  kill(process: Process): void {
    process.dead = true;
    this.#life.note(`  ${process.name} is dead`);
    if (this.#all.every(({ dead }) => dead)) this.start();
  }

  start(): void {
    this.#names += 1;
    const process: Process = { name: `process ${this.#names}`, dead: false, offset: 0, writing: undefined, engine: undefined as never };
    const now = () => this.#life.timeline.now() + process.offset;
    const alive = () => {
      this.#life.timeline.activity += 1;
      if (process.dead) throw new Crash();
    };
    const state = new Proxy(this.#life.state, {
      get: (target, name) => {
        const method = Reflect.get(target, name, target) as (...given: unknown[]) => Promise<unknown>;
        return async (...given: unknown[]) => {
          alive();
          return method.apply(target, given);
        };
      },
    });
    const sender = { send: (request: Request) => this.#send(process, request) };
    process.engine = new Engine({
      ...{
        remediations: [this.#life.remediation],
        state,
        artifacts: this.#life.artifacts,
        now,
        owner: process.name,
        monotonic: this.#life.timeline.now,
      },
      schedule: {
        put: async (appointment: Appointment) => {
          alive();
          this.#life.put(appointment, now());
        },
      },
      bus: {
        publish: async () => {
          alive();
          if (!this.#life.healed && this.#life.random.chance(0.03)) throw new Error('no answer from the bus');
        },
      },
      access: (name: string) => ({ examine: () => new LiveCluster(name, sender as never, this.#life.artifacts), sender }),
      onProblem: () => undefined,
      checkpoint: async (point: string, effect: Incident['effects'][number], incident: Incident) => {
        alive();
        const { chance } = this.#life.random;
        if (point === 'before' && effect.kind === 'write') process.writing = byOf(incident, effect.step);
        if (this.#life.healed) return;
        if (chance(0.015)) {
          this.#life.note(`  dies ${point} ${effect.kind}`);
          this.kill(process);
          throw new Crash();
        }
        if (chance(0.04)) this.#life.mutate();
        // Nobody else is between its guards and its request then.
        if (this.#running === 1 && chance(0.04)) await this.#life.switch();
      },
    });
    this.#all.push(process);
  }

  async #send(process: Process, request: Request) {
    const isWrite = request.method !== 'GET' && !request.path.includes('dryRun') && request.path.includes('widgets');
    const write: SentWrite | undefined =
      isWrite && process.writing
        ? { by: process.writing, found: {}, forbidden: await this.#forbids(process.writing), stored: false, late: false }
        : undefined;
    const { chance, between } = this.#life.random;
    if (process.dead) throw new Crash();
    if (write && !this.#life.healed && chance(0.06)) {
      const stopped = between(1, 120);
      this.#life.note(`  ${process.name} is stopped for ${stopped} s before it sends`);
      await new Promise<void>((resolve) => this.#life.timeline.after(stopped * SECOND, resolve));
      if (process.dead) throw new Crash();
      const late = (request as { sendLimit?: () => string | undefined }).sendLimit?.();
      if (late !== undefined) throw Object.assign(new Error(late), { sent: false });
    }
    if (write) this.#life.server.writes.push(write);
    const answer = await this.#life.server.send(request, write);
    this.#life.timeline.activity += 1;
    if (process.dead) throw new Crash();
    return answer;
  }

  async #forbids({ incident: id, hash, isUndo }: SentWrite['by']): Promise<string | undefined> {
    if (this.#life.switches.paused) return 'it was paused';
    if (isUndo || this.#life.switches.mode === 'auto') return undefined;
    if (this.#life.switches.mode === 'shadow') return 'the mode was shadow';
    return (await this.#life.state.load(id))?.approval?.hash === hash ? undefined : 'the plan was not approved';
  }

  /** Every clock is right again, and at least one process runs. */
  heal(): void {
    for (const process of this.#all) process.offset = 0;
    if (this.#all.every(({ dead }) => dead)) this.start();
  }
}

function byOf(incident: Incident, step: number): SentWrite['by'] {
  const isUndo = incident.state === 'undoing';
  const { plan, execution } = (isUndo ? incident.undo : incident) ?? {};
  return { incident: incident.id, hash: plan?.hash ?? '', preparedAt: execution?.preparedAt ?? 0, step, isUndo };
}
