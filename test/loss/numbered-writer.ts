import { setTimeout as delay } from 'node:timers/promises';
import { type Admin, RefusedError } from '../control-plane/admin.ts';
import { COUNTED, STEP } from './loss-rules.ts';

/** One numbered change that the API server has confirmed: it must come out as a fact. Times in milliseconds. */
export interface NumberedChange {
  n: number;
  name: string;
  /** Of the object, where it came into being or went away with this number. */
  uid?: string;
  what: 'created' | 'set' | 'deleted';
  at: number;
}

const LASTING = ['one', 'two', 'three', 'four', 'five', 'six'];
const UNCHANGED = { kept: 'as-it-is' };
const COUNTING = ['seven', 'eight'];

/** Writes one request at a time, so that numbers, resourceVersions and audit records have one order; repeats a request until it is answered. */
export class NumberedWriter {
  readonly #admin: Admin;
  readonly #path: string;
  readonly #counted: string;
  readonly #pause: number;
  readonly #stopping = new AbortController();
  readonly changes: NumberedChange[] = [];
  /** Answered requests per counted object; the audit log says how many there really were. */
  readonly counted: Record<string, number> = {};
  #n = 0;
  #brief: { name: string; uid: string } | undefined;
  #loop: Promise<void> = Promise.resolve();

  /** `pause`: milliseconds between two requests. */
  constructor(admin: Admin, namespace: string, pause: number) {
    this.#admin = admin;
    this.#path = `/api/v1/namespaces/${namespace}/configmaps`;
    this.#counted = `/api/v1/namespaces/${namespace}/${COUNTED}`;
    this.#pause = pause;
  }

  /** Makes the objects; what they hold then has no number. */
  async prepare(): Promise<void> {
    for (const name of LASTING) await this.#admin.create(this.#path, { metadata: { name } });
    for (const name of COUNTING) await this.#admin.create(this.#counted, { metadata: { name, labels: UNCHANGED } });
  }

  start(): void {
    this.#loop = this.#write();
  }

  /** Ends with a version of each object, and a step of counted writes; rejects when the API server does not answer for a minute, or refuses. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#endBrief();
    for (const name of LASTING) await this.#set(name);
    for (const name of COUNTING) await this.count(name, STEP);
  }

  /** Counted writes of one object: they change nothing, so only audit sees them. */
  async count(name: string, writes = 1): Promise<void> {
    for (let i = 0; i < writes; i++) {
      await this.#answered(() => this.#admin.patch(`${this.#counted}/${name}`, 'merge', { metadata: { labels: UNCHANGED } }));
      this.counted[name] = (this.counted[name] ?? 0) + 1;
    }
  }

  async #write(): Promise<void> {
    const { signal } = this.#stopping;
    for (let turn = 0; !signal.aborted; turn++) {
      if (turn % 3 === 2) await this.count(COUNTING[turn % COUNTING.length] as string);
      else if (turn % 14 === 0) await this.#beginBrief(turn);
      else if (turn % 14 === 10) await this.#endBrief();
      else await this.#set(LASTING[turn % LASTING.length] as string);
      await delay(this.#pause, undefined, { signal }).catch(() => {});
    }
  }

  async #set(name: string): Promise<void> {
    const n = ++this.#n;
    await this.#answered(() => this.#admin.replace(`${this.#path}/${name}`, { metadata: { name }, data: { n: `${n}` } }));
    this.changes.push({ n, name, what: 'set', at: Date.now() });
  }

  async #beginBrief(turn: number): Promise<void> {
    if (this.#brief) return;
    const n = ++this.#n;
    const name = `brief-${turn}`;
    const object = { metadata: { name }, data: { n: `${n}` } };
    const { metadata } = await this.#answered(() => this.#admin.create(this.#path, object), {
      // The answer to an earlier try got lost.
      409: () => this.#admin.get(`${this.#path}/${name}`),
    });
    this.#brief = { name, uid: `${metadata.uid}` };
    this.changes.push({ n, ...this.#brief, what: 'created', at: Date.now() });
  }

  async #endBrief(): Promise<void> {
    const brief = this.#brief;
    if (!brief) return;
    const n = ++this.#n;
    await this.#answered<unknown>(() => this.#admin.delete(`${this.#path}/${brief.name}`), { 404: async () => {} });
    this.#brief = undefined;
    this.changes.push({ n, ...brief, what: 'deleted', at: Date.now() });
  }

  async #answered<T>(send: () => Promise<T>, expected: Record<number, () => Promise<T>> = {}): Promise<T> {
    for (const deadline = Date.now() + 60_000; ; await delay(50)) {
      try {
        return await send();
      } catch (error) {
        const status = error instanceof RefusedError ? error.status : 503;
        const known = expected[status];
        if (known) return known();
        // Starting and stopping, an API server refuses what it allows at other times.
        if (Date.now() > deadline || (status < 500 && ![401, 403, 404, 429].includes(status))) throw error;
      }
    }
  }
}
