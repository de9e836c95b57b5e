import { pathJudge } from './audit-path.ts';
import { after, hasQuote, standsAt, text, viewOf } from './bytes.ts';

/** `read`: not of interest, and no finished write request; `write`: a finished write request on a resource that no rule names; `parse`: all others. */
export type Verdict = 'read' | 'write' | 'parse';

/** Takes a buffer of audit events and gives a function that judges the one that begins at an offset, by its first bytes. */
export type Probe = (buffer: Buffer) => (at: number) => Verdict;

/** How an event begins in a log, and in the items of an EventList. */
const BEGINNINGS = ['{"kind":"Event","apiVersion":"audit.k8s.io/v1",', '{'];
const LEVELS = ['Metadata', 'RequestResponse', 'Request'];
const HEADS = BEGINNINGS.flatMap((beginning) => LEVELS.map((level) => text(`${beginning}"level":"${level}","auditID":"`)));
const STAGE = text('","stage":"');
const FINISHED = ['ResponseComplete","requestURI":"', 'Panic","requestURI":"'].map(text);
const UNFINISHED = ['RequestReceived","requestURI":"', 'ResponseStarted","requestURI":"'].map(text);
const VERB = text('","verb":"');
const READS = ['get"', 'list"', 'watch"'].map(text);
const WRITES = ['update"', 'patch"', 'create"', 'delete"', 'deletecollection"'].map(text);
const QUOTE = 0x22;
/** Nobody but a client that sets the header Audit-ID deviates from it. */
const UUID = 36;

/**
 * A probe for the events that `readAuditEvent` and `Reducer.audit` would ignore. kube-apiserver writes keys in a fixed order, each once, so what
 * decides stands in the first bytes: `level`, `auditID`, `stage`, `requestURI`, `verb`. It answers anything but `parse` only when each of these
 * bytes is what it must be. An unescaped `","verb":"` cannot be part of a string: before the comma the string ended, or the line is no JSON.
 */
export function auditProbe(resources: { group: string; resource: string }[]): Probe {
  const isUnwanted = pathJudge(resources);
  return (buffer) => {
    const view = viewOf(buffer);
    return (start) => {
      const id = after(view, start, HEADS);
      if (!id || !standsAt(view, id + UUID, STAGE) || hasQuote(view, id, UUID / 4)) return 'parse';
      const stage = id + UUID + STAGE.length;
      const finished = after(view, stage, FINISHED);
      const uri = finished || after(view, stage, UNFINISHED);
      if (!uri) return 'parse';
      const end = buffer.indexOf(QUOTE, uri);
      if (end < 0 || !standsAt(view, end, VERB)) return 'parse';
      const verb = end + VERB.length;
      if (after(view, verb, READS)) return 'read';
      if (!after(view, verb, WRITES)) return 'parse';
      if (!finished) return 'read';
      return isUnwanted(buffer, uri) ? 'write' : 'parse';
    };
  };
}
