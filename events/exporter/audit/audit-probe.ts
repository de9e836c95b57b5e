import { pathJudge } from './audit-path.ts';
import { after, hasQuote, standsAt, text, viewOf } from './bytes.ts';

/**
 * `read`: not of interest, and no finished write request; `write`: a finished write request on a resource that no rule names; `hit`: one on a resource
 * that a rule names, if the event is whole; `parse`: whatever is none of these for certain.
 */
export type Verdict = 'read' | 'write' | 'hit' | 'parse';

/** Takes a buffer of audit events and gives a function that judges the one that begins at an offset, by its first bytes. */
export type Probe = (buffer: Buffer) => (at: number) => Verdict;

/** How an event begins in a log, and in the items of an EventList. */
const BEGINNINGS = ['{"kind":"Event","apiVersion":"audit.k8s.io/v1",', '{'];
const LEVELS = ['Metadata', 'RequestResponse', 'Request'];
const HEADS = BEGINNINGS.flatMap((beginning) => LEVELS.map((level) => text(`${beginning}"level":"${level}","auditID":"`)));
const STAGE = text('","stage":"');
const FINISHED = ['ResponseComplete","requestURI":"', 'Panic","requestURI":"'].map(text);
const UNFINISHED = ['RequestReceived","requestURI":"', 'ResponseStarted","requestURI":"'].map(text);
const verbs = (names: string[]) => names.map((name) => text(`","verb":"${name}"`));
const READS = verbs(['get', 'list', 'watch']);
const WRITES = verbs(['update', 'patch', 'create', 'delete', 'deletecollection']);
const VERDICTS = { wanted: 'hit', unwanted: 'write', unsure: 'parse' } as const;
const QUOTE = 0x22;
/** Nobody but a client that sets the header Audit-ID deviates from it. */
const UUID = 36;

/**
 * A probe for the events that `readAuditEvent` and `Reducer.audit` would ignore. kube-apiserver writes keys in a fixed order, each once, so what
 * decides stands in the first bytes: `level`, `auditID`, `stage`, `requestURI`, `verb`. It answers anything but `parse` only when each of these
 * bytes is what it must be. An unescaped `","verb":"` cannot be part of a string: before the comma the string ended, or the line is no JSON.
 */
export function auditProbe(resources: { group: string; resource: string }[]): Probe {
  const judge = pathJudge(resources);
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
      if (end < 0) return 'parse';
      if (after(view, end, READS)) return 'read';
      if (!after(view, end, WRITES)) return 'parse';
      return finished ? VERDICTS[judge(buffer, uri)] : 'read';
    };
  };
}
