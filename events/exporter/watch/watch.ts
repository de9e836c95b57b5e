import { asRecord } from '../as-record.ts';
import { backoff, type Wait } from '../wait.ts';
import { LateEvents } from './late-events.ts';
import { lines } from './lines.ts';
import { listAll, type MetadataOnly } from './list.ts';
import { type Open, readText, StatusError } from './open.ts';
import { stateAt } from './state-at.ts';
import type { WatchEvent } from './watch-event.ts';
import { identityOf, type KnownObject, keyOf, type Resume, type WatchPosition } from './watch-position.ts';

/** What a watch loop needs. Times in milliseconds. */
export interface WatchOptions {
  open: Open;
  /** `/apis/kafka.strimzi.io/v1beta2/kafkas` */
  path: string;
  resource: string;
  /** Set for Secrets: the server then sends no bodies. */
  metadataOnly?: MetadataOnly;
  signal: AbortSignal;
  position: WatchPosition;
  /** Goes on from there as if nothing had happened, while the server still knows that state; otherwise the difference is a gap. */
  resume?: Resume;
  /** Awaited: the next event is read when it is done. When it throws, the loop ends with that error. */
  handle(event: WatchEvent): Promise<void> | void;
  /** The watch saw nothing in this interval; the differences follow as `fromList` events with `gap`. */
  onGap(fromMs: number, toMs: number): void;
  /** False while there is no list or no open watch. */
  onSight(seeing: boolean): void;
  onProblem(message: string): void;
  /** Since when the resource was known not to exist: objects in the first list then are news. */
  absentSince?: number;
  /** Since when nobody watched, and nothing is known of the state then: objects in the first list are no news, but there is a gap. */
  blindSince?: number;
  /** An open watch broke off instead of ending: the API server may have died, with the audit events that it had not sent yet. */
  onBroken?(): void;
  /** A list after the first one. */
  onRelist?(): void;
  now(): number;
  random(): number;
  wait: Wait;
}

/** Bookmarks come about every 60 s; a stream that is silent for longer is dead. */
const SILENCE = 90_000;
/** Some servers close instead of answering 410 (kubernetes#137089): so many short watches without a line in a row mean the same. */
const SHORT_WATCHES = 3;
const SHORT = 5_000;
const METADATA_WATCH = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** Thrown by a handler: not a problem of the connection, so it must not be retried. */
class HandlerError extends Error {}
class Gone extends Error {}

/** Lists, then watches, until the signal aborts ('stopped') or the resource is no longer served ('absent'). Throws only what `handle` throws. */
export async function watchResource(options: WatchOptions): Promise<'stopped' | 'absent'> {
  try {
    return await new Watch(options).run();
  } catch (error) {
    if (error instanceof HandlerError) throw new Error(`The watch on ${options.path} stopped: its handler failed.`, { cause: error.cause });
    throw error;
  } finally {
    options.onSight(false);
  }
}

class Watch {
  readonly #options: WatchOptions;
  readonly #position: WatchPosition;
  #resume: Resume | undefined;
  /** What a process before this one told of and this one has not come to: the next list tells what became of it. */
  #told = new Map<string, KnownObject>();
  #late: LateEvents | undefined;
  #listed = false;
  #isOpen = false;
  #failures = 0;
  #shortWatches = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#position.aliveAt = options.absentSince ?? options.blindSince;
    this.#resume = options.resume;
  }

  async run(): Promise<'stopped' | 'absent'> {
    const { path, signal, wait, random, onProblem, onSight, now } = this.#options;
    this.#position.resourceVersion = undefined;
    while (!signal.aborted) {
      try {
        if (this.#position.resourceVersion === undefined && !(await this.#takeUp())) await this.#list();
        const openedAt = now();
        const sawLines = await this.#stream(this.#position.resourceVersion ?? '');
        this.#isOpen = false;
        this.#shortWatches = sawLines || now() - openedAt >= SHORT ? 0 : this.#shortWatches + 1;
        if (this.#shortWatches === 0) continue;
        if (this.#shortWatches >= SHORT_WATCHES) throw new Gone(`${path}: ${SHORT_WATCHES} watches in a row closed at once.`);
        await wait(backoff(++this.#failures, random), signal);
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof HandlerError) throw error;
        if (this.#isOpen && !(error instanceof Gone)) this.#options.onBroken?.();
        this.#isOpen = false;
        onSight(false);
        if (error instanceof StatusError && error.status === 404) {
          if (this.#resume) {
            this.#told = byKey(this.#resume.told ?? this.#resume.objects);
            this.#listed = true;
          }
          await this.#reconcile([]);
          return 'absent';
        }
        const expired = error instanceof Gone || (error instanceof StatusError && error.status === 410);
        if (expired) this.#position.resourceVersion = undefined;
        const isFirstExpiry = expired && this.#shortWatches === 0 && this.#failures++ === 0;
        this.#shortWatches = 0;
        if (isFirstExpiry) continue;
        onProblem(`Watching ${path}: ${describe(error)}. Trying again.`);
        await wait(backoff(++this.#failures, random), signal);
      }
    }
    return 'stopped';
  }

  /** Restores the state at the checkpoint, so that the watch can go on from there. False when the server does not know it any more. */
  async #takeUp(): Promise<boolean> {
    const resume = this.#resume;
    if (!resume) return false;
    const { open, path, signal, metadataOnly, onProblem } = this.#options;
    const state = await stateAt(resume, open, path, signal, metadataOnly);
    if ('items' in state) {
      for (const object of state.items) await this.#handle({ fromList: true, type: 'ADDED', object });
      this.#told = byKey(resume.told ?? []);
      this.#late = new LateEvents(resume.at, resume.resourceVersion, state.until);
      this.#position.resourceVersion = resume.resourceVersion;
    } else {
      onProblem(`Watching ${path}: ${state.because}: what differs now is told as seen in a gap.`);
      this.#told = byKey(resume.told ?? resume.objects);
    }
    this.#position.aliveAt = resume.at;
    this.#listed = true;
    this.#resume = undefined;
    return 'items' in state;
  }

  async #list(): Promise<void> {
    const { open, path, signal, metadataOnly, onGap, onRelist, now } = this.#options;
    const { resourceVersion, items } = await listAll(open, path, signal, metadataOnly);
    if (this.#listed) onRelist?.();
    if (this.#position.aliveAt !== undefined) onGap(this.#position.aliveAt, now());
    await this.#reconcile(items);
    this.#position.resourceVersion = resourceVersion;
    this.#position.aliveAt = now();
    this.#listed = true;
  }

  /** Hands on a list: what vanished first, then everything that is there. */
  async #reconcile(items: unknown[]): Promise<void> {
    const gap = this.#listed || this.#options.absentSince !== undefined;
    const marks = { fromList: true, ...(gap && { gap }) };
    for (const object of this.#told.values()) await this.#handle({ fromList: true, headOnly: true, type: 'ADDED', object });
    this.#told.clear();
    const present = new Set(items.map((item) => keyOf(item)));
    for (const [key, object] of [...this.#position.known]) if (!present.has(key)) await this.#handle({ ...marks, type: 'DELETED', object });
    for (const object of items) await this.#handle({ ...marks, type: 'ADDED', object });
  }

  /** One watch request, to its end. True when at least one line came. Throws Gone, StatusError, HandlerError, or what the network says. */
  async #stream(resourceVersion: string): Promise<boolean> {
    const { open, path, signal, metadataOnly, random, onSight, now } = this.#options;
    const ending = new AbortController();
    const either = AbortSignal.any([signal, ending.signal]);
    const query = new URLSearchParams({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(300 + Math.floor(random() * 300)),
    });
    let lastLineAt = now();
    const watchdog = this.#endWhenSilent(ending, () => lastLineAt);
    let sawLines = false;
    try {
      const { status, body } = await open(`${path}?${query}`, either, metadataOnly && METADATA_WATCH);
      if (status !== 200) throw new StatusError(path, status, await readText(body));
      onSight(true);
      this.#isOpen = true;
      for await (const line of lines(body)) {
        lastLineAt = now();
        await this.#take(asRecord(JSON.parse(line)));
        sawLines = true;
        this.#failures = 0;
        this.#position.aliveAt = lastLineAt;
      }
    } catch (error) {
      if (!ending.signal.aborted || error instanceof HandlerError) throw error;
      throw ending.signal.reason;
    } finally {
      ending.abort();
      await watchdog;
    }
    return sawLines;
  }

  async #take({ type, object }: Record<string, unknown>): Promise<void> {
    const { metadataOnly } = this.#options;
    if (type === 'ERROR') {
      const { code, reason, message } = asRecord(object);
      if (code === 410 || reason === 'Expired' || reason === 'Gone') throw new Gone(String(message));
      throw new Error(`the server ended the watch with ${code} ${message}`);
    }
    const whole = metadataOnly ? { ...asRecord(object), ...metadataOnly } : object;
    if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') await this.#handle({ type, object: whole });
    else if (type !== 'BOOKMARK') throw new Error(`the server sent an event of unknown type ${JSON.stringify(type)}`);
    else this.#advance(object);
  }

  #advance(object: unknown): void {
    const { resourceVersion } = asRecord(asRecord(object).metadata);
    if (typeof resourceVersion === 'string') this.#position.resourceVersion = resourceVersion;
  }

  async #handle(event: Pick<WatchEvent, 'type' | 'object' | 'fromList' | 'gap' | 'headOnly'>): Promise<void> {
    const { resource, now, handle } = this.#options;
    const at = event.fromList ? now() : (this.#late?.timeOf(event.object, now()) ?? now());
    try {
      await handle({ receivedAt: new Date(at).toISOString(), resource, ...event });
    } catch (cause) {
      throw new HandlerError('', { cause });
    }
    const { known } = this.#position;
    const [key, identity] = [keyOf(event.object), identityOf(event.object)];
    if (event.type === 'DELETED') known.delete(key);
    else known.set(key, identity);
    if (this.#told.get(key)?.metadata.resourceVersion === identity.metadata.resourceVersion) this.#told.delete(key);
    // At once: a checkpoint made in between would name a version and objects that do not belong together.
    if (!event.fromList) this.#advance(event.object);
  }

  async #endWhenSilent(ending: AbortController, lastLineAt: () => number): Promise<void> {
    const { now, wait } = this.#options;
    while (!ending.signal.aborted) {
      const left = lastLineAt() + SILENCE - now();
      if (left <= 0) ending.abort(new Error(`nothing came for ${SILENCE / 1_000} s, not even a bookmark`));
      else await wait(left, ending.signal);
    }
  }
}

const byKey = (objects: KnownObject[]) => new Map(objects.map((object) => [keyOf(object), object]));

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
