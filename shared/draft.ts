import type { IncidentState } from '../events/incident-changed.ts';
import { doneOf, type Effect, type Entry, type Execution, type Incident } from './incident.ts';
import type { Question } from './remediation.ts';

type NewEffect = Effect extends infer E ? (E extends Effect ? Omit<E, 'id'> : never) : never;

/** The next revision of an incident while it is being made: one stored change, its history and its work together. */
export class Draft {
  incident: Incident;
  readonly #now: number;

  constructor(incident: Incident, now: number) {
    this.incident = { ...incident, revision: incident.revision + 1, updatedAt: now };
    this.#now = now;
  }

  set(patch: Partial<Incident>): this {
    this.incident = { ...this.incident, ...patch };
    return this;
  }

  /** Leaves a plan: what is written of it stays known, for `undo`. */
  leave(patch: Partial<Incident> = {}): this {
    const past = doneOf(this.incident);
    return this.set({ execution: undefined, approval: undefined, ...(past.length > 0 && { past }), ...patch });
  }

  /** What is being written now: the fix, or its undo. */
  execution(change: Partial<Execution>): this {
    const { state, undo, execution } = this.incident;
    if (state === 'undoing') return undo?.execution ? this.set({ undo: { ...undo, execution: { ...undo.execution, ...change } } }) : this;
    return execution ? this.set({ execution: { ...execution, ...change } }) : this;
  }

  finish(id: string): void {
    this.set({ effects: this.incident.effects.filter((effect) => effect.id !== id) });
  }

  effect(effect: NewEffect): this {
    const { revision, effects } = this.incident;
    const n = effects.filter(({ id }) => id.startsWith(`${revision}.`)).length;
    return this.set({ effects: [...effects, { ...effect, id: `${revision}.${n}` } as Effect] });
  }

  look(at: number): this {
    const token = this.incident.revision;
    const set = this.#now;
    return this.set({ look: { at, token, set } }).effect({ kind: 'look', at, token, set });
  }

  note(question: Question, because: string, rest: Partial<Entry> = {}): this {
    const entry: Entry = { at: this.#now, state: this.incident.state, because, question, ...rest };
    return this.set({ history: [...this.incident.history, entry].slice(-200) });
  }

  /** Enters a state, writes history and tells it; entering it again for the same reason is no news. */
  to(state: IncidentState, because: string, rest: Partial<Entry> = {}): this {
    const { state: before, because: reason, history } = this.incident;
    if (before === state && reason === because) return this;
    const { open, ...others } = rest;
    const entry: Entry = { at: this.#now, state, because, ...others, ...(open && { open }) };
    this.set({ state, because, history: [...history, entry].slice(-200) });
    return this.effect({ kind: 'tell', state, because, at: this.#now });
  }

  /** Counted before it is told: whoever hears of it finds the breaker as it is. */
  ineffective(because: string, rest: Partial<Entry>): Incident {
    return this.effect({ kind: 'count-ineffective' }).to('ineffective', because, rest).done();
  }

  done(): Incident {
    return this.incident;
  }
}
