import { standsAt, text, viewOf } from './bytes.ts';

const BEGIN_LIST = '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[';
const BEGINNING = text(BEGIN_LIST);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ITEM = 0x7b;
const CLOSE_LIST = 0x5d;
const CLOSE_ITEM = 0x7d;

const DEEPER = 1;
const HIGHER = 2;
const STRING = 3;
const CLASS = new Uint8Array(256);
CLASS[OPEN_ITEM] = CLASS[0x5b] = DEEPER;
CLASS[CLOSE_ITEM] = CLASS[CLOSE_LIST] = HIGHER;
CLASS[QUOTE] = STRING;

/** Bytes that are scanned at once: well below a millisecond. */
const SCAN_BYTES = 262_144;

/** Where an item of an EventList begins and ends, and how deep its objects and lists are nested. */
export interface ListItem {
  start: number;
  end: number;
  depth: number;
}

/**
 * Finds the items of an EventList as kube-apiserver sends it, without whitespace; returns undefined for every other form. Yields after every 256 KiB, with
 * the number of items so far, so that the caller can do something else. Braces are counted, not looked for: an object in a request body may look like an
 * audit event.
 */
export function* scanList(body: Uint8Array): Generator<{ items: number; bytes: number }, ListItem[] | undefined, void> {
  if (!standsAt(viewOf(body), 0, BEGINNING)) return undefined;
  const items: ListItem[] = [];
  const scan: Scan = { at: BEGINNING.length, depth: 0, deepest: 0, isInString: false };
  let pauseAt = SCAN_BYTES;
  while (body[scan.at] === OPEN_ITEM) {
    const start = scan.at;
    scan.deepest = 0;
    while (!scanItem(body, scan, pauseAt)) {
      if (scan.at >= body.length) return undefined;
      yield { items: items.length, bytes: scan.at };
      pauseAt = scan.at + SCAN_BYTES;
    }
    const end = scan.at;
    items.push({ start, end, depth: scan.deepest });
    if (body[end] === COMMA && body[end + 1] === OPEN_ITEM) scan.at = end + 1;
  }
  const ends = body[scan.at] === CLOSE_LIST && body[scan.at + 1] === CLOSE_ITEM;
  for (scan.at += 2; body[scan.at] === 0x0a; scan.at += 1);
  return ends && scan.at === body.length ? items : undefined;
}

/** The same at once, for a body that is known to be small: start and end of each item in pairs. */
export function listItems(body: Uint8Array): number[] | undefined {
  const scan = scanList(body);
  for (;;) {
    const { done, value } = scan.next();
    if (done) return value?.flatMap(({ start, end }) => [start, end]);
  }
}

/** An EventList with these adjacent items of another one. */
export const subList = (body: Buffer, first: ListItem, last: ListItem): Buffer =>
  Buffer.concat([Buffer.from(BEGIN_LIST), body.subarray(first.start, last.end), Buffer.from(']}')]);

interface Scan {
  at: number;
  depth: number;
  deepest: number;
  isInString: boolean;
}

/** True when `at` is behind the brace that closes the item; false when it came to `until`, or to the end of the body, before that. */
function scanItem(body: Uint8Array, scan: Scan, until: number): boolean {
  const limit = Math.min(until, body.length);
  let { at, depth, deepest, isInString } = scan;
  let isComplete = false;
  for (; at < limit && !isComplete; at += 1) {
    if (isInString) {
      for (; at < limit && body[at] !== QUOTE; at += 1) if (body[at] === BACKSLASH) at += 1;
      if (at >= limit) break;
      isInString = false;
      continue;
    }
    const kind = CLASS[body[at] as number];
    if (kind === DEEPER) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (kind === HIGHER) {
      depth -= 1;
      isComplete = depth === 0;
    } else if (kind === STRING) isInString = true;
  }
  Object.assign(scan, { at, depth, deepest, isInString });
  return isComplete;
}
