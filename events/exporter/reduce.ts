import { type Envelope, factId } from '../fact.ts';
import { OBJECT_CHANGED } from '../object-changed.ts';
import { compile } from '../pattern.ts';
import { WRITES_COUNTED } from '../writes-counted.ts';
import type { AuditRecord } from './audit-record.ts';
import { changedPointers } from './changed-pointers.ts';
import { Gaps } from './gaps.ts';
import { type Change, KnownObjects } from './known-objects.ts';
import { isOwnChange, isOwnRequest } from './own-writes.ts';
import { projection } from './project.ts';
import { type Rule, type Subscriptions, subscriptions } from './rules.ts';
import { Seen } from './seen.ts';
import { SKEW } from './timeline.ts';
import { readHead, type WatchEvent } from './watch-event.ts';
import { WriteCounter } from './write-counter.ts';

/** How a reducer is set up. */
export interface ReducerOptions {
  cluster: string;
  rules: Rule[];
  /** Prefixes of kubemend's own user names: their writes never count. */
  ownUsers?: string[];
  /** Most objects counted at once. Default 100,000. */
  keyCap?: number;
}

/** How many delivered records are remembered, per source, to drop repeats. */
const REMEMBERED = 65_536;

/**
 * Turns audit records and watch events into the facts that at least one rule matches. It has no clock of its own: the time is
 * what the records carry and what `tick` says, so a replay gives the same facts.
 */
export class Reducer {
  readonly #cluster: string;
  readonly #ownUsers: string[];
  readonly #subscribed: Subscriptions;
  readonly #streams: Set<string>;
  readonly #rules: { name: string; detailType: string; windows: number[]; matches: (event: unknown) => boolean }[];
  readonly #projections: Map<string, (object: unknown) => Record<string, unknown>>;
  readonly #objects = new KnownObjects(REMEMBERED);
  readonly #requests = new Seen(REMEMBERED);
  readonly #gaps = new Gaps();
  readonly #counter: WriteCounter;
  readonly #watchedSince = new Map<string, number>();
  readonly #audited = new Set<string>();
  #hasAudit = false;
  readonly #stats = { requests: 0, events: 0, facts: 0, duplicates: 0, dryRuns: 0, own: 0, unnamed: 0, ignored: 0, reported: 0 };

  constructor({ cluster, rules, ownUsers = [], keyCap = 100_000 }: ReducerOptions) {
    this.#cluster = cluster;
    this.#ownUsers = ownUsers;
    this.#subscribed = subscriptions(rules);
    this.#streams = new Set(this.#subscribed.resources.map(streamOf));
    this.#rules = this.#subscribed.demands.map(({ rule, detailType, windows }) => {
      const matches = compile(rule.pattern) as (event: unknown) => boolean;
      return { name: rule.name, detailType, windows, matches };
    });
    this.#projections = new Map(
      this.#subscribed.resources.map((one) => [streamOf(one), projection(this.#subscribed.fieldsFor(one.group, one.resource))]),
    );
    this.#counter = new WriteCounter({
      cluster,
      keyCap,
      windowsFor: this.#subscribed.windowsFor,
      hasAudit: () => this.#hasAudit,
      isWatched: (stream, at) => at >= (this.#watchedSince.get(stream) ?? Infinity) && !this.#gaps.overlaps(stream, at - SKEW, at + SKEW),
      lastSeen: (key) => this.#objects.head(key),
      matching: (detail, seconds) => this.#matching(WRITES_COUNTED, detail, seconds),
      coverage: (stream, from, to) => this.#coverage(stream, this.#gaps.overlaps(stream, from, to)),
    });
  }

  /** What the rules make the exporter watch. */
  get resources(): Subscriptions['resources'] {
    return this.#subscribed.resources;
  }

  /** Takes one finished write request. */
  audit(record: AuditRecord): Envelope[] {
    this.#stats.requests++;
    this.#hasAudit = true;
    if (!this.#requests.add(`${record.auditID} ${record.stage}`)) return this.#skip('duplicates');
    const stream = streamOf(record);
    if (!this.#streams.has(stream) || isConnection(record)) return this.#skip('ignored');
    this.#audited.add(stream);
    if (record.dryRun) return this.#skip('dryRuns');
    if (!isNamed(record)) return this.#skip('unnamed');
    if (!isOwnRequest(record, this.#ownUsers)) return this.#sent(this.#counter.request(record));
    if (record.verb === 'delete' && record.code < 400) this.#counter.ownDelete(record);
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
    if (!this.#watchedSince.has(stream)) this.#watchedSince.set(stream, at);
    return this.#objects.take(event, head).flatMap((change) => this.#changed(change, stream, at));
  }

  /** Marks an interval in which the watch on this resource saw nothing. Milliseconds. */
  gap(group: string, resource: string, fromMs: number, toMs: number): void {
    this.#gaps.mark(streamOf({ group, resource }), fromMs, toMs);
  }

  /** Counts finished write requests on resources that no rule names, and that were therefore never made into records. */
  reportIgnored(count: number): void {
    this.#stats.requests += count;
    this.#stats.ignored += count;
    this.#hasAudit ||= count > 0;
  }

  /** Counts records that a source lost before they came here: facts say so in `coverage.dropped`. */
  reportDropped(count: number): void {
    this.#stats.reported += count;
  }

  /** Lets time pass; call it about every second. */
  tick(nowMs: number): Envelope[] {
    return this.#sent(this.#counter.tick(nowMs));
  }

  /** Counts since the start. `dropped` are lost records; the other skips are by design. */
  stats() {
    const { reported, ...counts } = this.#stats;
    const { objects, dropped } = this.#counter.size;
    return { ...counts, dropped: dropped + reported, counted: objects, known: this.#objects.size };
  }

  #changed(change: Change, stream: string, at: number): Envelope[] {
    const facts = this.#objectChanged(change, stream, at);
    if (change.gap) return this.#sent(facts);
    if (change.change !== 'deleted' && isOwnChange(change.before, change.after)) {
      this.#stats.own++;
      return this.#sent(facts);
    }
    return this.#sent([...facts, ...this.#counter.change(change, at)]);
  }

  #objectChanged({ head, resource, change, phantom, gap, before, after }: Change, stream: string, at: number): Envelope[] {
    const { group, version, kind, namespace, name, uid, resourceVersion, generation } = head;
    const id = factId('object', this.#cluster, group, resource, namespace, name, uid, resourceVersion, change);
    const observedAt = new Date(at).toISOString();
    const pick = this.#projections.get(stream) as (object: unknown) => Record<string, unknown>;
    const detail = {
      id,
      cluster: this.#cluster,
      observedAt,
      coverage: this.#coverage(stream, gap),
      object: {
        ...{ group, version, resource, ...(kind && { kind }), ...(namespace && { namespace }), name, uid, resourceVersion },
        ...(generation !== undefined && { generation }),
      },
      change,
      changed: before !== undefined && after !== undefined ? changedPointers(before, after) : [],
      phantom,
      ...(after !== undefined && { current: pick(after) }),
      ...(before !== undefined && { previous: pick(before) }),
    };
    if (this.#matching(OBJECT_CHANGED, detail).length === 0) return [];
    return [{ id, source: 'kubernetes', 'detail-type': OBJECT_CHANGED, time: observedAt, detail }];
  }

  #matching(detailType: string, detail: Envelope['detail'], seconds?: number): string[] {
    const event = { id: '', source: 'kubernetes', 'detail-type': detailType, time: detail.observedAt, detail };
    const rules = this.#rules.filter((rule) => rule.detailType === detailType && (seconds === undefined || rule.windows.includes(seconds)));
    return [...new Set(rules.filter(({ matches }) => matches(event)).map(({ name }) => name))];
  }

  #coverage(stream: string, gap: boolean) {
    const sources: ('watch' | 'audit')[] = [];
    if (this.#watchedSince.has(stream)) sources.push('watch');
    if (this.#audited.has(stream)) sources.push('audit');
    return { sources, gap, dropped: this.stats().dropped };
  }

  #skip(why: 'duplicates' | 'ignored' | 'dryRuns' | 'own' | 'unnamed'): Envelope[] {
    this.#stats[why]++;
    return [];
  }

  #sent(facts: Envelope[]): Envelope[] {
    this.#stats.facts += facts.length;
    return facts;
  }
}

const streamOf = ({ group, resource }: { group: string; resource: string }): string => `${group}/${resource}`;

/** `create` on these subresources opens a connection or answers a question; nothing is stored. */
const CONNECTIONS = new Set(['exec', 'attach', 'portforward', 'proxy', 'token']);
const isConnection = ({ subresource }: AuditRecord): boolean => subresource !== undefined && CONNECTIONS.has(subresource);

const isNamed = (record: AuditRecord): record is AuditRecord & { name: string } => record.name !== undefined;
