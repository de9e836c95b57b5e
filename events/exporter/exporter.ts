import { readAuditEvent } from './audit-record.ts';
import { AuditWebhook, type AuditWebhookOptions } from './audit-webhook.ts';
import { resolve } from './discovery.ts';
import type { Open } from './open.ts';
import { Outbox } from './outbox.ts';
import { Reducer } from './reduce.ts';
import type { Rule } from './rules.ts';
import type { Sink } from './sink.ts';
import { backoff, realWait, type Wait } from './wait.ts';
import { type Checkpoints, watchResource } from './watch.ts';
import type { WatchEvent } from './watch-event.ts';

/** Where to receive the API server's audit webhook, and whom to believe. */
export type AuditListener = Omit<AuditWebhookOptions, 'accept' | 'onProblem'>;

/** How an exporter is set up. */
export interface ExporterOptions {
  /** Named in every fact. */
  cluster: string;
  rules: Rule[];
  /** `Transport.open`, or any other GET to the API server. */
  open: Open;
  sink: Sink;
  clock: { now(): number };
  random(): number;
  /** Prefixes of kubemend's own user names. */
  ownUsers?: string[];
  auditWebhook?: AuditListener;
  /** Is shown every event as it came, whole: a recording. */
  record?: { watch(event: WatchEvent): void; audit(event: unknown): void };
  /** Told in sentences what is wrong; the exporter goes on. */
  onProblem(message: string): void;
  /** Timers; real ones by default. */
  wait?: Wait;
}

type Sight = 'starting' | 'watching' | 'blind' | 'absent' | 'failed';

/** A resource that is not served may be installed at any time. */
const LOOK_AGAIN = 10_000;
const TICK = 1_000;
/** More facts than this in the outbox hold the watches back. */
const CROWDED = 5_000;

/** Watches what the rules name, receives audit, and sends the facts that match. */
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #wait: Wait;
  readonly #reducer: Reducer;
  readonly #outbox: Outbox;
  readonly #webhook: AuditWebhook | undefined;
  readonly #stopping = new AbortController();
  readonly #sight = new Map<string, Sight>();
  #loops: Promise<void>[] = [];
  #malformed = 0;

  constructor(options: ExporterOptions) {
    const { cluster, rules, ownUsers, sink, random, onProblem, auditWebhook, wait = realWait } = options;
    this.#options = options;
    this.#wait = wait;
    this.#reducer = new Reducer({ cluster, rules, ...(ownUsers && { ownUsers }) });
    this.#outbox = new Outbox({ sink, wait, random, onProblem });
    const accept = (events: unknown[]) => this.acceptAudit(events);
    this.#webhook = auditWebhook && new AuditWebhook({ ...auditWebhook, accept, onProblem });
    for (const { group, resource } of this.#reducer.resources) this.#sight.set(`${group}/${resource}`, 'starting');
  }

  /** Starts everything; resolves with the audit webhook's port once it listens. Wait for `ready()` to know that all lists are in. */
  async start(): Promise<{ auditPort?: number }> {
    const auditPort = await this.#webhook?.listen();
    this.#loops = [...this.#reducer.resources.map(({ group, resource }) => this.#follow(group, resource)), this.#ticking()];
    return auditPort === undefined ? {} : { auditPort };
  }

  /** Ends the watches and the webhook, and tries what is still unsent once more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#webhook?.close();
    await Promise.all(this.#loops);
    await this.#outbox.stop();
  }

  /** True while every subscribed resource is listed and watched, or known not to be served. */
  ready(): boolean {
    return this.#sight.values().every((sight) => sight === 'watching' || sight === 'absent');
  }

  /** Counters, and what each resource's watch is doing. */
  stats() {
    return { ...this.#reducer.stats(), malformed: this.#malformed, outbox: this.#outbox.stats(), watches: Object.fromEntries(this.#sight) };
  }

  /** Takes audit.k8s.io/v1 Events from any source. Resolves when the facts they led to have left; the spool will answer earlier. */
  async acceptAudit(events: unknown[]): Promise<void> {
    const malformed: string[] = [];
    for (const event of events) this.#options.record?.audit(event);
    const facts = events.flatMap((event) => {
      const reading = readAuditEvent(event);
      if (reading.kind === 'malformed') malformed.push(reading.because);
      return reading.kind === 'record' ? this.#reducer.audit(reading.record) : [];
    });
    if (malformed.length > 0) {
      this.#malformed += malformed.length;
      this.#reducer.reportDropped(malformed.length);
      this.#options.onProblem(
        `${malformed.length} of ${events.length} audit events were malformed and not counted; the first: ${malformed[0]}`,
      );
    }
    await this.#outbox.add(facts);
  }

  /** Watches one resource for as long as the exporter runs, also while it comes and goes. */
  async #follow(group: string, resource: string): Promise<void> {
    const { open, onProblem, clock, random } = this.#options;
    const { signal } = this.#stopping;
    const key = `${group}/${resource}`;
    let absentSince: number | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const served = await resolve(open, group, resource, signal);
        failures = 0;
        if (!served) {
          absentSince = clock.now();
          this.#sight.set(key, 'absent');
          await this.#wait(LOOK_AGAIN, signal);
          continue;
        }
        if (absentSince !== undefined) this.#sight.set(key, 'starting');
        const metadataOnly = group === '' && resource === 'secrets' && { metadataOnly: { apiVersion: 'v1', kind: served.kind } };
        const outcome = await this.#watch(group, resource, served.path, {
          ...metadataOnly,
          ...(absentSince !== undefined && { absentSince }),
        });
        if (outcome === 'failed') return;
        absentSince = clock.now();
      } catch (error) {
        if (signal.aborted) return;
        this.#sight.set(key, 'blind');
        onProblem(`Looking for ${key}: ${error instanceof Error ? error.message : error}`);
        await this.#wait(backoff(++failures, random), signal);
      }
    }
  }

  async #watch(
    group: string,
    resource: string,
    path: string,
    more: { metadataOnly?: { apiVersion: string; kind: string }; absentSince?: number },
  ): Promise<'stopped' | 'absent' | 'failed'> {
    const { open, clock, random, onProblem } = this.#options;
    const key = `${group}/${resource}`;
    try {
      return await watchResource({
        ...{ open, path, resource, random, onProblem, ...more },
        ...{ signal: this.#stopping.signal, wait: this.#wait, now: () => clock.now(), checkpoints: inMemory() },
        handle: async (event) => {
          this.#options.record?.watch(event);
          void this.#outbox.add(this.#reducer.watch(event));
          while (this.#outbox.stats().waiting > CROWDED && !this.#stopping.signal.aborted) await this.#wait(TICK, this.#stopping.signal);
        },
        onGap: (from, to) => this.#reducer.gap(group, resource, from, to),
        onSight: (seeing) => this.#sight.set(key, seeing ? 'watching' : 'blind'),
      });
    } catch (error) {
      // A handler that throws is a defect in the reducer: counting on would be wrong, and `ready()` stays false until a restart.
      this.#sight.set(key, 'failed');
      onProblem(`${error instanceof Error ? `${error.message} ${(error.cause as Error | undefined)?.stack ?? ''}` : error}`);
      return 'failed';
    }
  }

  async #ticking(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#wait(TICK, signal);
      if (!signal.aborted) void this.#outbox.add(this.#reducer.tick(this.#options.clock.now()));
    }
  }
}

/** Checkpoints that end with the process: the next start lists anew. */
function inMemory(): Checkpoints {
  const versions = new Map<string, string>();
  return {
    get: (path) => versions.get(path),
    set: (path, version) => void (version === undefined ? versions.delete(path) : versions.set(path, version)),
  };
}
