import { gunzipSync, gzipSync } from 'node:zlib';
import { hasEnded, type Incident } from '../incident.ts';
import type { Item } from './dynamodb-table.ts';

/** DynamoDB takes 400 kB with the attributes' names; the others are small. */
const LARGEST = 390_000;
/** What a person still wants to read in the console stands there as text. */
const READABLE = 30_000;
const DAY = 24 * 3_600;

/** An incident's record has become too large to be stored. */
export class RecordTooLargeError extends Error {
  override name = 'RecordTooLargeError';

  constructor({ id, history, revision }: Incident, bytes: number) {
    super(
      `The record of incident ${id} has ${bytes} bytes compressed, the state table takes ${LARGEST}: its ${history.length} history entries or its plan hold too much. Nothing is written from here on. Read it with "kubemend explain ${id}", mend the object by hand, and report what made revision ${revision} so large.`,
    );
  }
}

/** The attributes that hold an incident. Ended ones expire after `keep` days. Throws RecordTooLargeError. */
export function recordItem(incident: Incident, keep: number): Item {
  const { id, revision, effects, updatedAt, state } = incident;
  const ended = hasEnded(state) && effects.length === 0;
  return {
    id: { S: id },
    revision: { N: `${revision}` },
    updated: { N: `${updatedAt}` },
    shelf: { S: effects.length > 0 ? 'unfinished' : 'rest' },
    record: recordOf(incident),
    ...(ended && { expires: { N: `${Math.ceil(updatedAt / 1_000) + keep * DAY}` } }),
  };
}

function recordOf(incident: Incident): { S: string } | { B: Uint8Array } {
  const text = JSON.stringify(incident);
  if (text.length <= READABLE) return { S: text };
  const packed = gzipSync(text);
  if (packed.length > LARGEST) throw new RecordTooLargeError(incident, packed.length);
  return { B: packed };
}

/** The incident in an item; throws when the item holds none. */
export function incidentOf(item: Item): Incident {
  const { S: text, B: packed } = item.record ?? {};
  if (text === undefined && packed === undefined)
    throw new Error(`The item ${item.pk?.S} ${item.sk?.S} of the state table holds no incident`);
  return JSON.parse(text ?? gunzipSync(packed as Uint8Array).toString('utf8')) as Incident;
}
