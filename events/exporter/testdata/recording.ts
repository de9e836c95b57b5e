import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type AuditRecord, readAuditEvent } from '../audit/audit-record.ts';
import type { WatchEvent } from '../watch/watch-event.ts';

/** One line of an extract: a request or a watch line, at its time in milliseconds. */
export type Recorded = { at: number; audit: AuditRecord; watch?: undefined } | { at: number; watch: WatchEvent; audit?: undefined };

/** Reads an extract of a real operator's recording (write requests at level Metadata and watch lines), in order of time. */
export function readRecording(name: 'strimzi-storm-start' | 'strimzi-ca-interrupted' | 'strimzi-ca-uninterrupted'): Recorded[] {
  const text = gunzipSync(readFileSync(join(import.meta.dirname, `${name}.ndjson.gz`))).toString('utf8');
  const recorded = text
    .trim()
    .split('\n')
    .map((line): Recorded => {
      const json = JSON.parse(line);
      if (json.kind !== 'Event') return { at: Date.parse(json.receivedAt), watch: json };
      const reading = readAuditEvent(json);
      if (reading.kind !== 'record') throw new Error(`Not a write request: ${line.slice(0, 200)}`);
      return { at: reading.record.at, audit: reading.record };
    });
  return recorded.sort((a, b) => a.at - b.at);
}
