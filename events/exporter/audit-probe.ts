import { type PathJudge, pathJudge } from './audit-path.ts';
import { ascii, standsAt } from './bytes.ts';

/** `read`: not of interest, and no finished write request; `write`: a finished write request on a resource that no rule names; `parse`: all others. */
export type Verdict = 'read' | 'write' | 'parse';

/** Judges the audit event that begins at `at`, by its first bytes. Nothing behind the buffer's end is looked at. */
export type Probe = (buffer: Uint8Array, at: number) => Verdict;

/** How an event begins in a log, and in the items of an EventList. */
const BEGINNINGS = ['{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"', '{"level":"'].map(ascii);
const LEVELS = ['Metadata","auditID":"', 'RequestResponse","auditID":"', 'Request","auditID":"'].map(ascii);
const STAGE = ascii('","stage":"');
const FINISHED = ['ResponseComplete","requestURI":"', 'Panic","requestURI":"'].map(ascii);
const UNFINISHED = ['RequestReceived","requestURI":"', 'ResponseStarted","requestURI":"'].map(ascii);
const VERB = ascii('","verb":"');
const READS = ['get"', 'list"', 'watch"'].map(ascii);
const WRITES = ['update"', 'patch"', 'create"', 'delete"', 'deletecollection"'].map(ascii);
const QUOTE = 0x22;
/** Nobody but a client that sets the header Audit-ID deviates from it. */
const UUID = 36;

/**
 * A probe for the events that `readAuditEvent` and `Reducer.audit` would ignore. kube-apiserver writes keys in a fixed order, each once, so what
 * decides stands in the first bytes: `level`, `auditID`, `stage`, `requestURI`, `verb`. It answers anything but `parse` only when each of these
 * bytes is what it must be. An unescaped `","verb":"` cannot be part of a string: before the comma the string ended, or the line is no JSON.
 */
export function auditProbe(resources: { group: string; resource: string }[]): Probe {
  const judge: PathJudge = pathJudge(resources);
  return (buffer, start) => {
    const level = after(buffer, start, BEGINNINGS);
    const id = level && after(buffer, level, LEVELS);
    if (!id || indexOfQuote(buffer, id) !== id + UUID || !standsAt(buffer, id + UUID, STAGE)) return 'parse';
    const stage = id + UUID + STAGE.length;
    const finished = after(buffer, stage, FINISHED);
    const uri = finished || after(buffer, stage, UNFINISHED);
    if (!uri) return 'parse';
    const end = indexOfQuote(buffer, uri);
    if (!standsAt(buffer, end, VERB)) return 'parse';
    const verb = end + VERB.length;
    if (after(buffer, verb, READS)) return 'read';
    if (!after(buffer, verb, WRITES)) return 'parse';
    if (!finished) return 'read';
    return judge(buffer, uri) === 'wanted' ? 'parse' : 'write';
  };
}

/** Where the first of these texts that stands there ends; 0 when none does. */
function after(buffer: Uint8Array, at: number, texts: Uint8Array[]): number {
  for (const text of texts) if (standsAt(buffer, at, text)) return at + text.length;
  return 0;
}

/** The next quote, or the end. The places are near: a call of indexOf would cost more than the loop. */
function indexOfQuote(buffer: Uint8Array, from: number): number {
  let at = from;
  while (at < buffer.length && buffer[at] !== QUOTE) at += 1;
  return at;
}
