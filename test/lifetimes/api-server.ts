import type { Answer, Request } from '../../shared/kubernetes/transport.ts';
import { MemoryCluster } from '../memory-cluster.ts';
import { WIDGETS } from '../toy-remediation.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/** A write that was sent: who sent it, and what became of it. */
export interface SentWrite {
  /** Incident, plan and step, as far as a test tells them. */
  by: { incident: string; hash: string; preparedAt: number; step: number; isUndo: boolean };
  /** What stood in the object when it was stored. */
  found: { uid?: string | undefined; color?: unknown; shade?: unknown };
  /** What a guard should have said when it was sent. */
  forbidden?: string | undefined;
  stored: boolean;
  /** The network delivered it after the API server's timeout would have ended it. */
  late: boolean;
}

const SECOND = 1_000;
/** What kube-apiserver does without `?timeout=`. */
const DEFAULT_TIMEOUT = 60 * SECOND;

/** An API server in memory whose answers and requests get lost, hang and are late, as they do in a network; `?timeout=` works as on the real one. */
export class UnreliableApiServer {
  readonly cluster: MemoryCluster;
  readonly writes: SentWrite[] = [];
  /** While the storage is stopped nothing is answered; writes on their way are stored when it goes on, or not. */
  #stoppedUntil = 0;
  faulty = true;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #log: (line: string) => void;

  constructor(timeline: Timeline, random: Random, log: (line: string) => void) {
    this.cluster = new MemoryCluster([WIDGETS], timeline.now);
    this.#timeline = timeline;
    this.#random = random;
    this.#log = log;
  }

  stopStorage(ms: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#timeline.now() + ms);
  }

  /** One request of a process. `isWrite`: it may change something. */
  async send(request: Request, write: SentWrite | undefined): Promise<Answer> {
    this.#timeline.activity += 1;
    const { chance } = this.#random;
    if (this.#timeline.now() < this.#stoppedUntil) return write ? this.#hang(request, write, 'stopped') : this.#noAnswer(request, 5);
    if (!this.faulty) return write ? this.#store(request, write) : this.cluster.send(request);
    if (!write) return chance(0.02) ? this.#wrong(request) : this.cluster.send(request);
    if (chance(0.25)) return this.#hang(request, write, chance(0.15) ? 'late' : 'held');
    if (chance(0.05)) {
      this.#log('  a write is lost before it takes effect');
      throw new Error('socket hang up');
    }
    if (chance(0.05)) return problem(this.#random.pick([500, 503, 429, 409, 422]));
    const answer = await this.#store(request, write);
    if (chance(0.05)) return { ...answer, body: this.#random.pick([undefined, {}, 'OK']) };
    if (chance(0.05)) return problem(this.#random.pick([500, 504, 409]));
    if (chance(0.08)) throw new Error('socket hang up');
    return answer;
  }

  /** `held`: in admission. `stopped`: in the storage. `late`: in the network, so that no timeout of the server ends it in time. */
  #hang(request: Request, write: SentWrite, where: 'held' | 'stopped' | 'late'): Promise<Answer> {
    const { between, chance } = this.#random;
    const parameter = /[?&]timeout=(\d+)s/.exec(request.path)?.[1];
    const timeout = parameter === undefined ? DEFAULT_TIMEOUT : Number(parameter) * SECOND;
    const held = where === 'stopped' ? this.#stoppedUntil - this.#timeline.now() : between(1, where === 'late' ? 600 : 90) * SECOND;
    const stores = where === 'held' ? held <= timeout : chance(0.7);
    write.late = where === 'late' && held > timeout;
    this.#log(`  a write is ${where} for ${held / SECOND} s and ${stores ? 'then takes effect' : 'never takes effect'}`);
    return new Promise((resolve, reject) => {
      // The client gives up by itself, whatever the server does.
      this.#timeline.after(request.signal || parameter ? timeout + 2 * SECOND : 30 * SECOND, () => reject(new Error('no answer')));
      this.#timeline.after(Math.min(held, stores ? held : timeout), () => {
        if (!stores) return chance(0.5) ? resolve(problem(504)) : undefined;
        this.#store(request, write).then((answer) => chance(0.7) && resolve(answer), reject);
      });
    });
  }

  #noAnswer(request: Request, seconds: number): Promise<Answer> {
    return new Promise((_, reject) => this.#timeline.after(seconds * SECOND, () => reject(new Error(`${request.method}: no answer`))));
  }

  #wrong(request: Request): Promise<Answer> | Answer {
    const { pick } = this.#random;
    if (pick([true, false])) return problem(pick([500, 503, 429, 403]));
    return this.cluster.send(request).then((answer) => ({ ...answer, body: pick([undefined, 'OK', {}]) }));
  }

  async #store(request: Request, write: SentWrite): Promise<Answer> {
    const path = request.path.split('?')[0] ?? '';
    const live = this.cluster.get(path);
    const writes = this.cluster.writes.length;
    const answer = await this.cluster.send({ ...request, signal: undefined });
    if (this.cluster.writes.length > writes) {
      const { color, shade = 'plain' } = live?.spec ?? {};
      Object.assign(write, { stored: true, found: { uid: live?.metadata.uid, color, shade } });
      this.#log(`  WRITE by ${write.by.incident}${write.by.isUndo ? ' (undo)' : ''}, step ${write.by.step + 1}`);
    }
    return answer;
  }
}

const problem = (status: number): Answer => ({ status, body: { kind: 'Status', message: `fault ${status}`, details: {} }, warnings: [] });
