import { type Access, assertMayAct, guardedAccess, type MayAct, UnknownClusterError } from './acting.ts';
import { advance } from './advance.ts';
import type { Artifacts } from './artifacts/artifacts.ts';
import type { Bus } from './bus/bus.ts';
import { examine } from './examine.ts';
import { countIneffective, effectiveMode } from './guards.ts';
import { handIn, subjectOf } from './hand-in.ts';
import type { Effect, Incident } from './incident.ts';
import type { Context, Input } from './input.ts';
import { callFor, isLeft, leftBefore, wakeLater } from './left-over.ts';
import { keyOf } from './open.ts';
import { prepare } from './prepare.ts';
import type { Fact, Remediation } from './remediation.ts';
import type { Appointment, Schedule } from './schedule/schedule.ts';
import type { State } from './state/state.ts';
import { tell } from './tell.ts';
import { lateEffect, recordResult, writeStep } from './write-step.ts';

export interface EngineOptions {
  remediations: Remediation[];
  /** Throws for a cluster this engine was not given. */
  access(cluster: string, remediation: string): Access;
  state: State;
  schedule: Schedule;
  bus: Bus;
  artifacts: Artifacts;
  now: () => number;
  /** Milliseconds from any moment on, by a clock that never goes back. Default: this process's. */
  monotonic?: () => number;
  /** Names this process in leases. */
  owner: string;
  onProblem(message: string): void;
  /** Asked before each effect and directly before each request. While it answers, nothing is sent and the outbox stays as it is. Absent: this process always may act. */
  mayAct?: MayAct;
  /** How long a dead process keeps others from its incidents, milliseconds. */
  leaseFor?: number;
  /** Called before and after an effect is performed and after its result is stored; a test stops the process here. */
  checkpoint?(point: 'before' | 'performed' | 'stored', effect: Effect, incident: Incident): void | Promise<void>;
}

/** Who drains an outbox has it alone for this long, and renews it with each effect. */
const LEASE_FOR = 30_000;
/** Effects that reach into the cluster; what people and queues are given needs none. */
const ACTS: Effect['kind'][] = ['examine', 'prepare', 'write'];
/** A store that keeps answering what is no longer there must not keep a process busy for ever. */
const TRIES = 25;

/** The shell around `advance`: stores every revision before it acts on it, then does the work in the outbox, one effect after the other. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #remediations: Map<string, Remediation>;
  /** One chain per incident key: within a process an incident is never handled twice at once. */
  readonly #chains = new Map<string, Promise<unknown>>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#remediations = new Map(options.remediations.map((remediation) => [remediation.name, remediation]));
  }

  /** A fact that matched the rule of `remediation`. Throws MayNotActError while this process may not act: give it again later. */
  async fact(remediation: string, fact: Fact): Promise<void> {
    const found = this.#remediation(remediation);
    this.#options.access(fact.cluster, remediation);
    const object = subjectOf(found, fact);
    if (!object) return;
    const { state, now, mayAct } = this.#options;
    assertMayAct(mayAct);
    await this.#serially(keyOf(fact.cluster, object, remediation), async () => {
      const incident = await handIn({ state, remediation: found, fact, now: now() });
      if (incident) await this.#drain(incident.id);
    });
  }

  /** A scheduled look, or a wake-up for work that was left over. */
  async due({ incident: id, token }: Appointment): Promise<void> {
    await this.#on(id, (incident) => (token === 'wake' ? this.#drain(incident.id) : this.#apply(incident.id, { kind: 'due', token })));
  }

  /** Takes up what a process left behind when it died, and looks that were lost. */
  async recover(): Promise<void> {
    const { state, now, mayAct, onProblem } = this.#options;
    for (const incident of await state.left(leftBefore(Number.MAX_SAFE_INTEGER, now()))) {
      // Whoever says that it may act again recovers again.
      if (mayAct?.() !== undefined) return;
      if (!isLeft(incident, now())) continue;
      await this.due(callFor(incident, now())).catch((error: Error) =>
        onProblem(`Incident ${incident.id} could not be taken up: ${error.message}`),
      );
    }
  }

  /** Resolves when nothing is being handled any more. */
  async idle(): Promise<void> {
    while (this.#chains.size > 0) await Promise.allSettled(this.#chains.values());
  }

  async #on(id: string, action: (incident: Incident) => Promise<void>): Promise<void> {
    const incident = await this.#options.state.load(id);
    if (incident) await this.#serially(incident.key, () => action(incident));
  }

  async #serially(key: string, action: () => Promise<void>): Promise<void> {
    const run = (this.#chains.get(key) ?? Promise.resolve()).then(action, action);
    const settled = run.catch(() => undefined);
    this.#chains.set(key, settled);
    try {
      await run;
    } finally {
      if (this.#chains.get(key) === settled) this.#chains.delete(key);
    }
  }

  async #apply(id: string, input: Input): Promise<void> {
    await this.#store(id, input);
    await this.#drain(id);
  }

  /** Advances the stored incident; another process's change in between is read and taken into account. False: the input changes nothing. */
  async #store(id: string, input: Input): Promise<boolean> {
    const { state } = this.#options;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const incident = await state.load(id);
      const next = incident && advance(incident, input, await this.#context(incident, input));
      if (!incident || !next) return false;
      if (await state.save(next, incident.revision)) return true;
    }
    throw new Error(`Incident ${id} was changed by somebody else ${TRIES} times in a row: nothing more is done`);
  }

  async #context(incident: Incident, input: Input): Promise<Context> {
    const { limits, when } = this.#remediation(incident.remediation);
    const plan = (input.kind === 'examined' && input.plan) || incident.plan;
    return { now: this.#options.now(), limits, when, mode: await effectiveMode(this.#options.state, incident, plan) };
  }

  /** Does what the outbox holds. Only the owner of the incident's lease does; somebody else comes back when it has run out. */
  async #drain(id: string): Promise<void> {
    const { state, owner, now, checkpoint, mayAct, leaseFor = LEASE_FOR } = this.#options;
    let lease: string | undefined;
    const left = new Set<string>();
    for (;;) {
      const incident = await state.load(id);
      const effect = incident?.effects.find((candidate) => !left.has(candidate.id));
      if (!incident || !effect) break;
      assertMayAct(mayAct);
      lease = `incident/${incident.remediation}/${id}`;
      if (!(await state.lease(lease, owner, now() + leaseFor, now()))) return this.#later(id);
      await checkpoint?.('before', effect, incident);
      const input = await this.#perform(incident, effect);
      // What came of a write is stored whenever the state takes it; anything else is done again later.
      if (effect.kind !== 'write') assertMayAct(mayAct);
      await checkpoint?.('performed', effect, incident);
      if (input) await recordResult({ state, incident, effect, input, store: (result) => this.#store(id, result) });
      else left.add(effect.id);
      await checkpoint?.('stored', effect, incident);
    }
    if (lease !== undefined) await state.release(lease, owner);
    if (left.size > 0) await this.#later(id);
  }

  #later(id: string): Promise<void> {
    const { state, schedule, now, leaseFor = LEASE_FOR } = this.#options;
    return wakeLater(id, { state, schedule, first: leaseFor, now: now() });
  }

  /** Does one effect; undefined when it has to be tried again later. */
  async #perform(incident: Incident, effect: Effect): Promise<Input | undefined> {
    const { state, schedule, artifacts, now } = this.#options;
    const remediation = this.#remediation(incident.remediation);
    const removed = ACTS.includes(effect.kind) ? this.#clusterRemoved(incident) : undefined;
    if (removed) return { kind: 'cluster-removed', effect: effect.id, because: removed };
    switch (effect.kind) {
      case 'examine':
        try {
          const access = this.#access(incident);
          const late = await lateEffect(incident, effect.id, { sender: access.sender, artifacts, state, now: now() });
          if (late) return late;
          const result = await examine(remediation, incident, effect.question, access.examine(), now());
          return { kind: 'examined', effect: effect.id, question: effect.question, ...result };
        } catch (error) {
          return { kind: 'doubt', effect: effect.id, question: effect.question, because: (error as Error).message };
        }
      case 'look':
        await schedule.put({
          incident: incident.id,
          token: effect.token,
          at: effect.at,
          ...(effect.set !== undefined && { set: effect.set }),
        });
        return { kind: 'done', effect: effect.id };
      case 'prepare': {
        const access = this.#access(incident);
        const { examine: view, sender } = access;
        if (!sender) return { kind: 'withheld', effect: effect.id, because: 'this run never writes' };
        try {
          const late = await lateEffect(incident, effect.id, { sender: access.sender, artifacts, state, now: now() });
          if (late) return late;
          return await prepare({ incident, remediation, effect: effect.id, state, artifacts, cluster: view(), sender, now });
        } catch (error) {
          return { kind: 'doubt', effect: effect.id, question: 'before-write', because: (error as Error).message };
        }
      }
      case 'write':
        return writeStep({
          ...this.#options,
          incident,
          effect,
          remediation,
          access: this.#access(incident),
          store: (input) => this.#store(incident.id, input),
        });
      case 'count-ineffective':
        await countIneffective(state, incident, remediation);
        return { kind: 'done', effect: effect.id };
      case 'tell':
        return this.#tell(incident, effect);
    }
  }

  async #tell(incident: Incident, told: Extract<Effect, { kind: 'tell' }>): Promise<Input | undefined> {
    const remediation = this.#remediation(incident.remediation);
    const isOver = await tell({ ...this.#options, incident, remediation, told, sender: () => this.#access(incident).announcer });
    return isOver ? { kind: 'done', effect: told.id } : undefined;
  }

  #clusterRemoved(incident: Incident): string | undefined {
    try {
      this.#access(incident);
      return undefined;
    } catch (error) {
      // Whatever else makes it impossible to reach a cluster may pass.
      return error instanceof UnknownClusterError ? error.message : undefined;
    }
  }

  #access({ cluster, remediation }: Incident): Access {
    const { access, mayAct } = this.#options;
    return guardedAccess(access(cluster, remediation), mayAct);
  }

  #remediation(name: string): Remediation {
    const found = this.#remediations.get(name);
    if (!found) throw new Error(`There is no remediation "${name}" in this process: is its folder in functions/?`);
    return found;
  }
}
