import type { Coverage, Envelope } from '../../fact.ts';
import { OBJECT_CHANGED } from '../../object-changed.ts';
import { WRITES_COUNTED } from '../../writes-counted.ts';
import { type AuditRecord, isConnection } from '../audit/audit-record.ts';
import { readHead, type WatchEvent } from '../watch/watch-event.ts';
import { type Arrival, placed, readFromLog } from './arrival.ts';
import { ALL_AUDIT, type Counted, EVERYTHING, isNamed, streamOf } from './counted.ts';
import { FactRules } from './fact-rules.ts';
import { type Change, KnownObjects } from './known-objects.ts';
import { objectFact } from './object-fact.ts';
import { outcomeOf } from './outcome.ts';
import { isOwnChange, isOwnRequest } from './own-writes.ts';
import { projection } from './project.ts';
import { noCounts, type Skipped } from './reducer-counts.ts';
import type { ReducerOptions } from './reducer-options.ts';
import { type Subscriptions, subscriptions } from './rules.ts';
import { SeenRequests } from './seen-requests.ts';
import { Sight } from './sight.ts';
import { WriteCounter } from './write-counter.ts';

/** How many delivered versions are remembered to drop repeats. */
const REMEMBERED = 65_536;
/** Records may come late and out of order: kept this much longer than the longest window. Milliseconds. */
const RESTORE_SLACK = 120_000;

/**
 * Turns audit records and watch events into the facts that at least one rule matches. It has no clock of its own: the receiver's clock is what `tick`
 * and the times of arrival say, so a replay gives the same facts.
 */
export class Reducer {
  readonly #cluster: string;
  readonly #ownUsers: string[];
  readonly #subscribed: Subscriptions;
  readonly #streams: Set<string>;
  readonly #rules: FactRules;
  readonly #projections: Map<string, (object: unknown) => Record<string, unknown>>;
  readonly #objects = new KnownObjects(REMEMBERED);
  readonly #requests = new SeenRequests();
  readonly #counter: WriteCounter;
  readonly #onCounted: (counted: Counted) => void;
  /** The receiver's clock, as `watch` and `tick` last said it. */
  #clock = Number.POSITIVE_INFINITY;
  /** What was seen, and what was not: a restart puts back what it knows. */
  readonly sight = new Sight();
  readonly #stats = noCounts();

  constructor({ cluster, rules, ownUsers = [], keyCap = 100_000, entryCap = 400_000, onCounted = () => {} }: ReducerOptions) {
    this.#onCounted = onCounted;
    this.#cluster = cluster;
    this.#ownUsers = ownUsers;
    this.#subscribed = subscriptions(rules);
    this.#streams = new Set(this.#subscribed.resources.map(streamOf));
    this.#rules = new FactRules(this.#subscribed.demands);
    this.#projections = new Map(
      this.#subscribed.resources.map((one) => [streamOf(one), projection(this.#subscribed.fieldsFor(one.group, one.resource))]),
    );
    this.#counter = new WriteCounter({
      cluster,
      keyCap,
      entryCap,
      windowsFor: this.#subscribed.windowsFor,
      hasAudit: () => this.sight.hasAudit,
      isWatched: (stream, at) => this.sight.isWatched(stream, at),
      lastSeen: (key) => this.#objects.head(key),
      matching: (detail, seconds) => this.#rules.matching(WRITES_COUNTED, detail, seconds),
      coverage: (stream, from, to) => this.#coverage(stream, this.sight.isBlind(stream, from, to)),
    });
  }

  /** What the rules make the exporter watch. */
  get resources(): Subscriptions['resources'] {
    return this.#subscribed.resources;
  }

  /** Takes one finished write request. Without `arrival`, the receiver's clock is what was last heard of it. */
  audit(stamped: AuditRecord, arrival: Arrival = readFromLog(this.#clock)): Envelope[] {
    this.#stats.requests++;
    this.sight.hasAudit = true;
    const record = placed(stamped, arrival);
    const stream = streamOf(record);
    if (!this.#streams.has(stream) || isConnection(record)) return this.#skip('ignored');
    if (record.unauthenticated) return this.#skip('unauthenticated');
    const outcome = outcomeOf(record);
    if (!this.#requests.add(record)) return this.#skip('duplicates');
    this.sight.audited(stream);
    if (record.skewed) this.#stats.skewed++;
    if (record.dryRun) return this.#skip('dryRuns');
    if (!isNamed(record)) return this.#skip('unnamed');
    const isOwn = isOwnRequest(record, this.#ownUsers);
    // A 5xx creates no object: the watch shows it if it was stored after all.
    if (outcome === 'rejected' || (outcome === 'unknown' && !this.#counter.isKnown(record))) {
      if (!isOwn) this.#counter.reject(record);
      return this.#skip(isOwn ? 'own' : 'rejected');
    }
    if (!isOwn) {
      this.#noted(record, { kind: 'request', record });
      return this.#sent(this.#counter.request(record));
    }
    if (record.verb === 'delete' && outcome === 'stored') {
      this.#noted(record, { kind: 'own-delete', record });
      this.#counter.ownDelete(record);
    }
    return this.#skip('own');
  }

  /** Takes one line of a watch or list. */
  watch(event: WatchEvent): Envelope[] {
    this.#stats.events++;
    if (event.type === 'BOOKMARK') return [];
    const head = readHead(event.object);
    const stream = streamOf({ group: head?.group ?? '', resource: event.resource });
    if (head === undefined || !this.#streams.has(stream)) return this.#skip('ignored');
    const at = Date.parse(event.receivedAt);
    this.#hear(at);
    this.sight.watched(stream, at);
    return this.#objects.take(event, head).flatMap((change) => this.#changed(change, stream, at));
  }

  /** Marks an interval in which the watch on this resource saw nothing. Milliseconds. */
  gap(group: string, resource: string, fromMs: number, toMs: number): void {
    this.#mark(streamOf({ group, resource }), fromMs, toMs);
  }

  /** Marks an interval of which audit records are missing. Milliseconds. */
  auditGap(fromMs: number, toMs: number): void {
    this.#mark(ALL_AUDIT, fromMs, toMs);
  }

  /** Longest time in milliseconds that a record may matter to a window. */
  get memory(): number {
    return Math.max(0, ...this.#subscribed.demands.flatMap(({ windows }) => windows)) * 1_000 + RESTORE_SLACK;
  }

  /** Takes what a process before this one noted (`onCounted`) and sent, in its order; gives the facts that it owed when it died. */
  async restore(log: AsyncIterable<{ counted: Counted } | { fact: Envelope }>, now = Number.POSITIVE_INFINITY): Promise<Envelope[]> {
    this.#counter.beginRestore();
    for await (const line of log) {
      try {
        if ('counted' in line) this.#restore(line.counted, now);
        else if (line.fact['detail-type'] === WRITES_COUNTED) this.#counter.told(line.fact, now);
      } catch {
        // Of another version of this program: to start is better than to understand it.
        this.#stats.unreadable++;
      }
    }
    return this.#sent(this.#counter.endRestore());
  }

  /** Counts finished write requests on resources that no rule names, and that were therefore never made into records. */
  reportIgnored(count: number): void {
    this.#stats.requests += count;
    this.#stats.ignored += count;
    this.sight.hasAudit ||= count > 0;
  }

  /** Counts records that a source lost before they came here: facts say so in `coverage.dropped`. */
  reportDropped(count: number): void {
    this.#stats.reported += count;
  }

  /** Lets time pass; call it about every second. */
  tick(nowMs: number): Envelope[] {
    this.#hear(nowMs);
    return this.#sent(this.#counter.tick(nowMs));
  }

  /** Counts since the start. `dropped` are lost records; the other skips are by design. */
  stats() {
    const { reported, ...counts } = this.#stats;
    const { objects, entries, dropped, forgotten, rejectedDropped } = this.#counter.size;
    return {
      ...counts,
      dropped: dropped + forgotten + reported,
      overflow: dropped,
      ...{ forgotten, rejectedDropped, entries },
      counted: objects,
      known: this.#objects.size,
      factsByRule: this.#rules.counts(),
    };
  }

  #changed(change: Change, stream: string, at: number): Envelope[] {
    const facts = this.#objectChanged(change, stream, at);
    if (change.gap) return this.#sent(facts);
    if (change.change !== 'deleted' && isOwnChange(change.before, change.after)) {
      this.#stats.own++;
      return this.#sent(facts);
    }
    const { resource, head, change: what, phantom, generationMoved } = change;
    this.#noted({ ...head, resource }, { kind: 'change', at, change: { resource, head, change: what, phantom, generationMoved } });
    return this.#sent([...facts, ...this.#counter.change(change, at)]);
  }

  #restore(counted: Counted, now: number): void {
    if (counted.kind === 'gap') this.sight.mark(counted.stream, counted.from, counted.to);
    else if (counted.kind === 'forgotten') this.sight.mark(EVERYTHING, counted.to - this.memory, counted.to);
    else if (counted.kind === 'change') {
      this.sight.watched(`${counted.change.head.group}/${counted.change.resource}`, counted.at);
      this.#objects.restore(counted.change);
      this.#counter.change(counted.change, counted.at);
    } else {
      const record = placed(counted.record, readFromLog(now));
      this.#requests.add(record);
      this.sight.audited(streamOf(record));
      if (counted.kind === 'request') this.#counter.request(record);
      else this.#counter.ownDelete(record);
    }
  }

  /** Only what somebody counts has to be kept. */
  #noted({ group, resource }: { group: string; resource: string }, counted: Counted): void {
    if (this.#subscribed.windowsFor(group, resource).length > 0) this.#onCounted(counted);
  }

  /** The receiver's clock says `now`. Once it was set back, what was counted near that moment is incomplete. */
  #hear(now: number): void {
    this.#clock = now;
    if (!this.#counter.wasSetBack(now)) return;
    this.sight.rewind(now);
    this.#mark(EVERYTHING, now - this.memory, now);
  }

  #mark(stream: string, from: number, to: number): void {
    this.sight.mark(stream, from, to);
    this.#onCounted({ kind: 'gap', stream, from, to });
  }

  #objectChanged(change: Change, stream: string, at: number): Envelope[] {
    const pick = this.#projections.get(stream) as (object: unknown) => Record<string, unknown>;
    const fact = objectFact(change, this.#cluster, at, this.#coverage(stream, change.gap), pick);
    return this.#rules.matching(OBJECT_CHANGED, fact.detail).length > 0 ? [fact] : [];
  }

  #coverage(stream: string, gap: boolean): Coverage {
    const { dropped, forgotten } = this.#counter.size;
    return this.sight.coverage(stream, gap, dropped + forgotten + this.#stats.reported);
  }

  #skip(why: Skipped): Envelope[] {
    this.#stats[why]++;
    return [];
  }

  #sent(facts: Envelope[]): Envelope[] {
    this.#stats.facts += facts.length;
    this.#rules.count(facts);
    return facts;
  }
}
