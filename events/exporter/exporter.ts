import type { AuditSource } from './audit/audit-source.ts';
import { AuditWebhook } from './audit/audit-webhook.ts';
import { runSource } from './audit/run-source.ts';
import type { ExporterOptions } from './exporter-options.ts';
import { type ExporterStats, lags } from './health/stats.ts';
import { AUDIT_WEBHOOK, BRIDGED, Intake } from './intake.ts';
import { Outbox } from './sink/outbox.ts';
import { Journal } from './spool/journal.ts';
import { logOf, openStorage, type Storage } from './storage.ts';
import { realWait, type Wait } from './wait.ts';
import { type Following, follow } from './watch/follow.ts';
import { toldSince } from './watch/told-since.ts';
import type { Remembered, WatchCheckpoint } from './watch/watch-checkpoint.ts';

interface Running {
  storage: Storage;
  journal: Journal;
  outbox: Outbox;
}

const TICK = 1_000;
/** The API server keeps audit events so long at most before it sends them (`--audit-webhook-batch-max-wait`): they die with it. */
const AUDIT_BATCH = 30_000;
/** How old a checkpoint may be: so much of the watch comes again after a crash. */
const SAVE = 5_000;

/** Watches what the rules name, receives audit, and sends the facts that match; with a directory it loses nothing when it restarts. */
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #wait: Wait;
  readonly #now: () => number;
  readonly #intake: Intake;
  readonly #webhook: AuditWebhook | undefined;
  readonly #stopping = new AbortController();
  readonly #sight = new Map<string, Following>();
  readonly #checkpoints = new Map<string, WatchCheckpoint>();
  #running: Running | undefined;
  #loops: Promise<void>[] = [];
  #relists = 0;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: ExporterOptions) {
    const { cluster, rules, ownUsers, record, onProblem, auditWebhook, clock, wait = realWait } = options;
    this.#options = options;
    this.#wait = wait;
    this.#now = () => clock.now();
    this.#intake = new Intake({
      cluster,
      rules,
      now: this.#now,
      wait,
      onProblem,
      ...(ownUsers && { ownUsers }),
      ...(record && { record }),
    });
    const accept = (events: unknown[]) => this.acceptAudit(events, AUDIT_WEBHOOK);
    const select = (body: Buffer) => this.#intake.select(body);
    const overloaded = () => this.#intake.isBlocked(AUDIT_WEBHOOK);
    const dropped = (count: number, reason: string) => this.#intake.dropped(count, reason);
    const receiver = { accept, select, overloaded, dropped, onProblem, now: this.#now };
    this.#webhook = auditWebhook && new AuditWebhook({ ...auditWebhook, ...receiver });
    for (const { group, resource } of this.#intake.reducer.resources) this.#sight.set(`${group}/${resource}`, 'starting');
  }

  /** Takes up what the process before left, and starts everything; resolves with the audit webhook's port once it listens. Wait for `ready()` to know that all lists are in. */
  async start(): Promise<{ auditPort?: number }> {
    const { directory, spoolCap: cap, sources = [], onProblem, sink, random } = this.#options;
    const { reducer } = this.#intake;
    const storage = await openStorage({
      ...{ directory, cap, keep: reducer.memory, now: this.#now, onProblem },
      onForgotten: (to) => void journal.write([{ kind: 'counted', at: to, entry: { kind: 'forgotten', to } }]).catch(() => {}),
    });
    const outbox = new Outbox({ spool: storage.spool, sink, deadLetters: storage.deadLetters, wait: this.#wait, random, onProblem });
    const journal = new Journal(storage.spool, () => outbox.wake());
    this.#running = { storage, journal, outbox };
    this.#intake.open(journal);
    let remembered: Map<string, Remembered>;
    let auditPort: number | undefined;
    try {
      remembered = await this.#restore(storage);
      outbox.wake();
      auditPort = await this.#webhook?.listen();
    } catch (error) {
      await outbox.stop();
      await storage.spool.close();
      throw error;
    }
    this.#loops = [
      ...reducer.resources.map(({ group, resource }) => this.#follow(group, resource, remembered, storage)),
      ...sources.map((source) => this.#read(source, storage)),
      this.#every(TICK, () => this.#intake.tick().then(() => storage.spool.expire(this.#now()))),
      this.#every(SAVE, () => this.#save()),
    ];
    return auditPort === undefined ? {} : { auditPort };
  }

  /** The audit webhook shows another certificate from now on. Throws when key and certificate do not fit. */
  readonly renewCertificate = (cert: string, key: string): void => this.#webhook?.renew(cert, key);

  /** Ends the watches, the sources and the webhook, and tries what is still unsent once more; the rest stays in the directory. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#webhook?.close();
    await Promise.all(this.#loops);
    if (!this.#running) return;
    const { storage, journal, outbox } = this.#running;
    await journal.retry();
    await this.#save();
    await outbox.stop();
    const { waiting } = storage.spool.stats();
    if (waiting > 0 && this.#options.directory === undefined)
      this.#options.onProblem(`${waiting} facts were given up: nothing keeps them.`);
    await storage.spool.close();
  }

  /** True while every subscribed resource is listed and watched, or known not to be served, and what comes in can be kept. */
  ready(): boolean {
    const sees = this.#sight.values().every((sight) => sight === 'watching' || sight === 'absent');
    return sees && this.#running !== undefined && !this.#intake.isBlocked();
  }

  /** Counters, and what each resource's watch is doing. */
  stats(): ExporterStats {
    const { events, requests, duplicates, skewed, factsByRule } = this.#intake.reducer.stats();
    const lastEventAt: Record<string, number> = { ...this.#intake.newest };
    const heard = [...this.#checkpoints].flatMap(([key, { position }]) =>
      this.#sight.get(key) === 'absent' ? [] : (position.aliveAt ?? []),
    );
    if (heard.length > 0) lastEventAt.watch = Math.min(...heard);
    const { damaged = 0, ...spool } = this.#running?.storage.spool.stats() ?? { bytes: 0, waiting: 0, cap: 0 };
    return {
      dropped: { ...this.#intake.drops(), ...(damaged > 0 && { 'spool-damaged': damaged }) },
      lagSeconds: lags(lastEventAt, this.#now()),
      spool,
      relists: this.#relists,
      putEventsFailed: this.#options.sink.failures?.() ?? {},
      facts: factsByRule,
      watches: Object.fromEntries(this.#sight),
      deadLettered: this.#running?.storage.deadLetters.count ?? 0,
      lastEventAt,
      ...{ events, requests, duplicates, skewed, sent: this.#running?.outbox.sent ?? 0 },
    };
  }

  /** Takes audit.k8s.io/v1 Events from any source. Resolves when what they led to is durable; rejects when it is not: then send all of them again. */
  acceptAudit(events: unknown[], source = 'audit'): Promise<void> {
    return this.#intake.audit(events, source);
  }

  /** Rebuilds the windows and the memories against repeats, and says what nobody saw. */
  async #restore({ spool, alive, watchCheckpoint }: Storage): Promise<Map<string, Remembered>> {
    const { reducer } = this.#intake;
    const remembered = new Map<string, Remembered>();
    for (const { group, resource } of reducer.resources) {
      const key = `${group}/${resource}`;
      const checkpoint = watchCheckpoint(group, resource);
      this.#checkpoints.set(key, checkpoint);
      const read = checkpoint.read();
      remembered.set(key, read);
      if (read.watchedSince !== undefined) reducer.sight.watched(key, read.watchedSince);
    }
    if (alive?.hasAudit) reducer.sight.hasAudit = true;
    await this.#intake.restore(toldSince(logOf(spool), remembered));
    if (alive && this.#dependsOnWebhook && this.#now() - alive.at > BRIDGED) reducer.auditGap(alive.at, this.#now());
    return remembered;
  }

  /** A source with a checkpoint reads what it missed, or says itself that it cannot. */
  get #dependsOnWebhook(): boolean {
    return this.#webhook !== undefined && (this.#options.sources ?? []).length === 0;
  }

  #follow(group: string, resource: string, remembered: Map<string, Remembered>, { alive }: Storage): Promise<void> {
    const { open, random, onProblem } = this.#options;
    const key = `${group}/${resource}`;
    const { signal } = this.#stopping;
    const checkpoint = this.#checkpoints.get(key) as WatchCheckpoint;
    let brokenAt: number | undefined;
    const onSight = (sight: Following) => {
      this.#sight.set(key, sight);
      if (sight !== 'watching') return;
      if (brokenAt !== undefined && this.#dependsOnWebhook) this.#intake.reducer.auditGap(brokenAt - AUDIT_BATCH, this.#now());
      brokenAt = undefined;
      void this.#save();
    };
    return follow({
      ...{ open, group, resource, checkpoint, signal, random, onProblem, wait: this.#wait, now: this.#now },
      remembered: remembered.get(key) ?? {},
      blindSince: checkpoint.isDamaged ? alive?.at : undefined,
      handle: (event) => this.#intake.watch(event, signal),
      onGap: (from, to) => this.#intake.reducer.gap(group, resource, from, to),
      onSight,
      onBroken: () => {
        brokenAt ??= this.#now();
      },
      onRelist: () => void this.#relists++,
    });
  }

  #read(source: AuditSource, storage: Storage): Promise<void> {
    const { random, onProblem } = this.#options;
    return runSource(source, {
      accept: (events) => this.acceptAudit(events, source.name),
      parse: this.#intake.parse(source.name),
      dropped: (count, reason) => this.#intake.dropped(count, reason),
      gap: (from, to) => this.#intake.reducer.auditGap(from, to),
      checkpoint: storage.sourceCheckpoint(source.name),
      ...{ signal: this.#stopping.signal, onProblem, now: this.#now, random, wait: this.#wait },
    });
  }

  #save(): Promise<void> {
    this.#saving = this.#saving
      .then(() => this.#running && this.#saveAll(this.#running))
      .catch((error: Error) => this.#options.onProblem(`Checkpoints were not written: ${error.message}`));
    return this.#saving;
  }

  /** Only what is durable may be in a checkpoint: what it covers never comes again. */
  async #saveAll({ journal, storage }: Running): Promise<void> {
    const { sight } = this.#intake.reducer;
    const saves = [...this.#checkpoints].map(([key, one]) => one.save(() => journal.durable(), sight.watchedSince.get(key)));
    // Blind to audit is as good as dead: the next process should know since when.
    if (!journal.isBlocked) saves.push(storage.saveAlive({ at: this.#now(), hasAudit: sight.hasAudit }));
    for (const result of await Promise.allSettled(saves)) {
      if (result.status === 'rejected') this.#options.onProblem(`A checkpoint was not written: ${(result.reason as Error).message}`);
    }
  }

  async #every(ms: number, act: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#wait(ms, signal);
      if (signal.aborted) return;
      // A full disk passes; what could not be done is done the next time.
      await act().catch((error: Error) => this.#options.onProblem(`The exporter could not keep its records: ${error.message}`));
    }
  }
}
