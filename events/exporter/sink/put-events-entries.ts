import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { Envelope } from '../../fact.ts';
import { asRecord } from '../as-record.ts';

/** A fact, and how it is sent. */
export interface Sized {
  event: Envelope;
  entry: PutEventsRequestEntry;
  bytes: number;
  /** Facts with the same text are about the same object: they must arrive in their order. */
  object: string;
}

const MAX_ENTRIES = 10;
/** The whole request must stay below 1 MB. */
const MAX_BYTES = 1_000_000;
/** So many facts are looked through for the ten of the next call. */
const LOOK_AHEAD = 1_000;

/** The entry of an envelope for PutEvents; `bus` is a name or ARN. */
export const entryOf = ({ source, time, detail, 'detail-type': detailType }: Envelope, bus: string): PutEventsRequestEntry => ({
  EventBusName: bus,
  Source: source,
  DetailType: detailType,
  Detail: JSON.stringify(detail),
  Time: new Date(time),
});

/** A fact with its entry and size, as EventBridge counts: 14 bytes for the time, and the UTF-8 length of the rest. */
export function sized(event: Envelope, bus: string): Sized {
  const entry = entryOf(event, bus);
  const bytes = 14 + [entry.Source, entry.DetailType, entry.Detail].reduce((sum, text = '') => sum + Buffer.byteLength(text), 0);
  const { group, resource, namespace, name } = asRecord(event.detail.object);
  return {
    event,
    entry,
    bytes,
    object: name === undefined ? event.id : JSON.stringify([event.detail.cluster, group, resource, namespace, name]),
  };
}

/** Why EventBridge cannot take an entry, whoever asks; undefined when it can. */
export function flaw({ bytes, entry, event }: Sized): string | undefined {
  if (bytes >= MAX_BYTES) return `${bytes} bytes; EventBridge takes less than ${MAX_BYTES}`;
  return Number.isNaN(entry.Time?.getTime()) ? `its time is no time: ${event.time}` : undefined;
}

/**
 * The facts of the next call, ten of different objects, and those that stay. Of two facts of one object in one call the first could fail and
 * the second be taken: then the newer one would have overtaken the older.
 */
export function nextCall(waiting: Sized[]): { call: Sized[]; rest: Sized[] } {
  const call: Sized[] = [];
  const rest: Sized[] = [];
  const objects = new Set<string>();
  let bytes = 0;
  for (const one of waiting.slice(0, LOOK_AHEAD)) {
    const fits = call.length < MAX_ENTRIES && bytes + one.bytes < MAX_BYTES && !objects.has(one.object);
    // An object that has to wait waits with everything behind it.
    objects.add(one.object);
    if (fits) bytes += one.bytes;
    (fits ? call : rest).push(one);
  }
  return { call, rest: [...rest, ...waiting.slice(LOOK_AHEAD)] };
}
