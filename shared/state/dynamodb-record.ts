import { hasEnded, type Incident, lookDue } from '../incident.ts';
import type { Item } from './dynamodb-table.ts';
import { packText, unpackText } from './packed-text.ts';

/** DynamoDB takes 400 kB with the attributes' names; the others are small. */
const LARGEST = 390_000;
const DAY = 24 * 3_600;
/** Of the keys and the record. 2: keys begin with the remediation. */
const SCHEMA = 2;

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
  const due = lookDue(incident);
  const ended = hasEnded(state) && effects.length === 0;
  return {
    id: { S: id },
    schema: { N: `${SCHEMA}` },
    revision: { N: `${revision}` },
    ...(effects.length > 0 || due === undefined
      ? { shelf: { S: effects.length > 0 ? 'unfinished' : 'rest' }, updated: { N: `${updatedAt}` } }
      : { shelf: { S: 'looking' }, updated: { N: `${due}` } }),
    record: recordOf(incident),
    ...(ended && { expires: { N: `${Math.ceil(updatedAt / 1_000) + keep * DAY}` } }),
  };
}

function recordOf(incident: Incident): ReturnType<typeof packText> {
  const packed = packText(JSON.stringify(incident));
  if ('B' in packed && packed.B.length > LARGEST) throw new RecordTooLargeError(incident, packed.B.length);
  return packed;
}

/** The partition of an incident's records. Its key begins with its remediation, so a role can be limited to its own. Throws when it does not. */
export function partitionOf({ id, key, remediation }: Incident): string {
  if (!key.startsWith(`${remediation}/`))
    throw new Error(`The key ${key} of incident ${id} does not begin with its remediation ${remediation}`);
  return `incident/${key}`;
}

/** The incident in an item. Throws when the item holds none, one of another schema, or one that belongs elsewhere. */
export function incidentOf(item: Item): Incident {
  const text = unpackText(item.record);
  const place = `The item ${item.pk?.S} ${item.sk?.S} of the state table`;
  if (text === undefined) throw new Error(`${place} holds no incident`);
  const schema = Number(item.schema?.N ?? 1);
  if (schema !== SCHEMA)
    throw new Error(
      `${place} has schema ${schema}, and this version reads schema ${SCHEMA} only: deploy to a new stage, or delete the table`,
    );
  const incident = JSON.parse(text) as Incident;
  // A function may write its own partitions, and must not speak for another one by what it writes there.
  if (partitionOf(incident) !== item.pk?.S)
    throw new Error(`${place} claims to be incident ${incident.id} of ${incident.remediation}: find out who wrote it`);
  return incident;
}
