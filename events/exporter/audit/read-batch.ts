import { scheduler } from 'node:timers/promises';
import { asRecord } from '../as-record.ts';
import { type ListItem, scanList, subList } from './audit-list.ts';
import { withoutBodies } from './truncated-event.ts';

/** What is done with a batch. */
export interface BatchReader {
  /** Resolves when these events are kept. */
  accept(events: unknown[]): Promise<void>;
  /** Picks the events of interest out of an EventList without parsing all of it; undefined when it must be parsed whole. */
  select?: ((body: Buffer) => unknown[] | undefined) | undefined;
  /** Counts events that are too large or too deep to be read. */
  dropped?: ((count: number, reason: string) => void) | undefined;
  now(): number;
}

/** Bytes and events that are parsed and handed on at once: a few milliseconds. */
const SLICE_BYTES = 262_144;
const SLICE_EVENTS = 1_024;
/** An event above this is read without its request and response bodies. etcd stores no object above 1.5 MiB, and few are above 100 KiB. */
const MAX_EVENT_BYTES = 2 ** 20;
const MAX_DEPTH = 512;
/** Enough for everything that stands before the bodies. */
const HEAD_BYTES = 65_536;
/** JSON.parse cannot be interrupted: of a list that kube-apiserver did not write, no more than this is parsed. */
const MAX_UNUSUAL_BYTES = 2 ** 20;
/** The smallest audit event with all required fields has about 300 bytes: a list of less is none of audit events. */
const MIN_EVENT_BYTES = 64;
const FEW_EVENTS = 1_000;

/** Why a batch is refused: an HTTP status and a sentence. */
export interface Refusal {
  status: 400 | 413;
  because: string;
}

/**
 * Reads an EventList in slices, and lets other work go on between them: how much a sender sends must not decide how long everybody else waits. Resolves
 * when all events are kept; with a refusal when it is no EventList. Rejects with what `accept` says: then the whole batch comes again.
 */
export async function readBatch(body: Buffer, reader: BatchReader): Promise<Refusal | undefined> {
  const items = await itemsOf(body);
  if (items === 'too-small') return TOO_SMALL;
  if (items === undefined) return readUnusual(body, reader);
  const events: unknown[] = [];
  for (const slice of slicesOf(items)) {
    const read = eventsOf(body, slice, reader);
    if (!Array.isArray(read)) return read;
    for (const event of read) events.push(event);
    if (events.length < SLICE_EVENTS) await scheduler.yield();
    else await reader.accept(events.splice(0));
  }
  await reader.accept(events);
  return undefined;
}

async function itemsOf(body: Buffer): Promise<ListItem[] | 'too-small' | undefined> {
  const scan = scanList(body);
  for (;;) {
    const { done, value } = scan.next();
    if (done) return value && isTooSmall(value.length, body.length) ? 'too-small' : value;
    if (isTooSmall(value.items, value.bytes)) return 'too-small';
    await scheduler.yield();
  }
}

const isTooSmall = (items: number, bytes: number): boolean => items > FEW_EVENTS && items * MIN_EVENT_BYTES > bytes;

const isOversized = ({ start, end, depth }: ListItem): boolean => end - start > MAX_EVENT_BYTES || depth > MAX_DEPTH;

/** Adjacent items of at most 256 KiB together; one that is larger, or cannot be parsed, stands alone. */
function* slicesOf(items: ListItem[]): Generator<ListItem[]> {
  let from = 0;
  for (let i = 1; i <= items.length; i++) {
    const [first, next, last] = [items[from], items[i], items[i - 1]] as [ListItem, ListItem | undefined, ListItem];
    const fits = next && next.end - first.start <= SLICE_BYTES && !isOversized(next) && !isOversized(last);
    if (fits) continue;
    yield items.slice(from, i);
    from = i;
  }
}

function eventsOf(body: Buffer, slice: ListItem[], { select, dropped, now }: BatchReader): unknown[] | Refusal {
  const [first, last] = [slice[0], slice.at(-1)] as [ListItem, ListItem];
  if (isOversized(first)) {
    const { start, end } = first;
    const head = withoutBodies(body.toString('utf8', start, Math.min(end, start + HEAD_BYTES)), now());
    if (head === undefined) dropped?.(1, 'oversized');
    return head === undefined ? [] : [head];
  }
  const list = subList(body, first, last);
  return select?.(list) ?? parseList(list);
}

async function readUnusual(body: Buffer, { accept, select }: BatchReader): Promise<Refusal | undefined> {
  if (body.length > MAX_UNUSUAL_BYTES)
    return {
      status: 413,
      because: `The body is not an EventList as kube-apiserver writes it: of others at most ${MAX_UNUSUAL_BYTES} bytes are read.`,
    };
  const events = select?.(body) ?? parseList(body);
  if (!Array.isArray(events)) return events;
  if (isTooSmall(events.length, body.length)) return TOO_SMALL;
  await accept(events);
  return undefined;
}

const TOO_SMALL: Refusal = { status: 400, because: 'The items of the list are too small to be audit events.' };

function parseList(body: Buffer): unknown[] | Refusal {
  let list: Record<string, unknown>;
  try {
    list = asRecord(JSON.parse(body.toString('utf8')));
  } catch (error) {
    return { status: 400, because: `The body is no JSON: ${error instanceof Error ? error.message : error}` };
  }
  if (list.kind === 'EventList' && list.apiVersion === 'audit.k8s.io/v1' && Array.isArray(list.items)) return list.items;
  const got = `${list.apiVersion ?? 'no apiVersion'} ${list.kind ?? 'no kind'}`;
  return { status: 400, because: `Expected an audit.k8s.io/v1 EventList with items, got ${got}.` };
}
