import { standsAt, text, viewOf } from './bytes.ts';

const BEGINNING = text('{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[');
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

/**
 * Where the items of an EventList begin and end, in pairs: as kube-apiserver sends it, without whitespace. Undefined for every other form.
 * Braces are counted, not looked for: an object in a request body may look like an audit event.
 */
export function listItems(body: Uint8Array): number[] | undefined {
  if (!standsAt(viewOf(body), 0, BEGINNING)) return undefined;
  const items: number[] = [];
  let at = BEGINNING.length;
  while (body[at] === OPEN_ITEM) {
    const end = afterItem(body, at);
    items.push(at, end);
    at = body[end] === COMMA && body[end + 1] === OPEN_ITEM ? end + 1 : end;
  }
  const ends = body[at] === CLOSE_LIST && body[at + 1] === CLOSE_ITEM;
  for (at += 2; body[at] === 0x0a; at += 1);
  return ends && at === body.length ? items : undefined;
}

/** Behind the brace that closes the one at `from`, or behind the body's end. */
function afterItem(body: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < body.length; at += 1) {
    const kind = CLASS[body[at] as number];
    if (kind === DEEPER) depth += 1;
    else if (kind === HIGHER) {
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (kind === STRING) {
      for (at += 1; at < body.length && body[at] !== QUOTE; at += 1) if (body[at] === BACKSLASH) at += 1;
    }
  }
  return body.length + 1;
}
