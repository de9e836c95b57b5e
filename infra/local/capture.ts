import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readHead, type WatchEvent } from '../../events/exporter/watch/watch-event.ts';
import { privateDirectoryOf, writePrivateFile } from '../../events/private-files.ts';
import { milliseconds } from '../../shared/duration.ts';
import type { Incident } from '../../shared/incident.ts';
import { questionOf } from './read-line.ts';
import type { RecordedLine } from './recording.ts';

/** As far as the longest window of a rule reaches back. */
const BEFORE = milliseconds('10m');
const AFTER = milliseconds('5s');
const SOON = milliseconds('1s');
/** The files of a bundle. */
const OWN = /^(audit|watch|reads|incident)\.(ndjson\.gz|json)$/;

/**
 * Writes what a recording holds of an incident as a bundle that `replay` accepts: the namespaces it is about, from ten minutes before it was
 * detected to its end, and everything its examinations read. The recording is redacted already. Gives how many lines of each there are.
 */
export function writeBundle(incident: Incident, lines: RecordedLine[], to: string): { audit: number; watch: number; reads: number } {
  const namespaces = new Set([incident.object.namespace, incident.fact.object.namespace, '', undefined]);
  const from = incident.detectedAt - BEFORE;
  const isWithin = (at: string): boolean => Date.parse(at) >= from && Date.parse(at) <= incident.updatedAt + AFTER;
  const watch = lines.flatMap((line) =>
    line.kind === 'watch' && namespaces.has(readHead(line.event.object)?.namespace) ? [line.event] : [],
  );
  const during = watch.filter(({ receivedAt }) => isWithin(receivedAt));
  const audit = lines.flatMap((line) => {
    if (line.kind !== 'audit') return [];
    const { objectRef, stageTimestamp = line.at } = line.event as { objectRef?: { namespace?: string }; stageTimestamp?: string };
    return namespaces.has(objectRef?.namespace) && isWithin(stageTimestamp) ? [line.event] : [];
  });
  const start = new Date(from).toISOString();
  const told = new Set(during);
  const events: string[] = [];
  /** Of each question, how many events had come when it was answered last. */
  const answered = new Map<string, number>();
  const reads = lines.flatMap((line) => {
    if (line.kind === 'watch' && told.has(line.event)) events.push(line.event.receivedAt);
    if (line.kind !== 'read' || line.remediation !== incident.remediation || !isWithin(line.at)) return [];
    const question = questionOf(line.read);
    const before = answered.get(question);
    answered.set(question, events.length);
    // A replay examines at once. A live examination follows the event that called for it by milliseconds, and more events may come
    // meanwhile: so the answer holds from the first event that is as recent and came after the answer before.
    const event = events.slice(before ?? 0).find((at) => Date.parse(line.at) - Date.parse(at) <= SOON);
    // And it may ask a moment earlier or later: the very first answer holds from the start.
    return [{ at: before === undefined ? start : (event ?? line.at), ...line.read }];
  });
  const { id, remediation, object, state } = incident;
  // No text: what was said may quote what was read.
  const history = incident.history.map(({ at, state: then, verdict }) => ({
    at: new Date(at).toISOString(),
    state: then,
    ...(verdict && { verdict: verdict.kind }),
  }));
  const about = { id, remediation, object, state, history };
  privateDirectoryOf(to, OWN);
  const write = (name: string, content: unknown[]) =>
    writePrivateFile(join(to, `${name}.ndjson.gz`), gzipSync(content.map((line) => `${JSON.stringify(line)}\n`).join('')));
  write('audit', audit);
  write('watch', [...stateAt(from, start, watch), ...during]);
  write('reads', reads);
  writePrivateFile(join(to, 'incident.json'), `${JSON.stringify(about, undefined, 2)}\n`);
  return { audit: audit.length, watch: during.length, reads: reads.length };
}

/** What stood there when the bundle begins, as a list would show it. */
function stateAt(from: number, start: string, events: WatchEvent[]): WatchEvent[] {
  const state = new Map<string, WatchEvent>();
  for (const event of events) {
    if (Date.parse(event.receivedAt) >= from) break;
    const head = readHead(event.object);
    const key = `${head?.group}/${event.resource} ${head?.namespace}/${head?.name}`;
    if (event.type === 'DELETED') state.delete(key);
    else if (event.type !== 'BOOKMARK') state.set(key, { ...event, type: 'ADDED', receivedAt: start, fromList: true });
  }
  return [...state.values()];
}
