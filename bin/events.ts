import { OBJECT_CHANGED } from '../events/object-changed.ts';
import { WRITES_COUNTED } from '../events/writes-counted.ts';
import { UsageError } from './verb.ts';

/** The events in a file: one JSON document or one a line; an EventBridge event, or the bare detail of a fact. Throws UsageError. */
export function asEvents(file: string, content: string): object[] {
  const whole = parse(content);
  const documents =
    whole === undefined
      ? content
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map(parse)
      : [whole].flat();
  const broken = documents.findIndex((document) => typeof document !== 'object' || document === null);
  if (documents.length === 0 || broken >= 0)
    throw new UsageError(`${file}, line ${broken + 1}: this is no JSON object. Give an event or a fact, one a line`);
  return (documents as Record<string, unknown>[]).map((document) => ('detail-type' in document ? document : envelopeOf(document)));
}

/** A fact as the exporter would have sent it. */
function envelopeOf(detail: Record<string, unknown>): object {
  const type = 'window' in detail ? WRITES_COUNTED : OBJECT_CHANGED;
  return { id: String(detail.id), source: 'kubernetes', 'detail-type': type, time: String(detail.observedAt), detail };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
