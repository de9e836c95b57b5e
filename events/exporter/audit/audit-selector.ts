import { parseAuditLines, timesOf } from './audit-lines.ts';
import { listItems } from './audit-list.ts';
import { auditProbe, type Probe } from './audit-probe.ts';
import { standsAt, text, viewOf } from './bytes.ts';

/** The events of interest, parsed; of the others only their number. */
export interface Selection {
  events: unknown[];
  /** Lines that are no JSON. */
  malformed: number;
  /** Finished write requests on resources that no rule names. */
  ignored: number;
  /** stageTimestamp of the last event, in milliseconds. */
  newest: number | undefined;
}

/** Picks what a reducer with these subscriptions would not ignore out of audit events, most of which it need not parse. */
export interface AuditSelector {
  /** Of lines of a log; what follows the last newline counts as a line. */
  lines(buffer: Buffer): Selection;
  /** Of an EventList; undefined when its form is unexpected and it must be parsed whole. */
  list(body: Buffer): Selection | undefined;
}

/** A selector for the resources that the rules name. JSON.parse decides on everything that the probe does not reject. */
export function auditSelector(resources: { group: string; resource: string }[]): AuditSelector {
  const probe = auditProbe(resources);
  return {
    lines(buffer) {
      const events: unknown[] = [];
      let malformed = 0;
      const ignored = keptLines(buffer, probe, (start, end) => {
        const line = buffer.subarray(start, end);
        try {
          events.push(JSON.parse(line.toString('utf8')));
        } catch {
          const rest = parseAuditLines(line);
          events.push(...rest.events);
          malformed += rest.malformed;
        }
      });
      return { events, malformed, ignored, newest: timesOf(buffer).last };
    },
    list(body) {
      const items = listItems(body);
      const events: unknown[] = [];
      let ignored = 0;
      if (items === undefined) return undefined;
      const judge = probe(body);
      try {
        for (let i = 0; i < items.length; i += 2) {
          const start = items[i] as number;
          const verdict = judge(start);
          if (verdict === 'write') ignored += 1;
          else if (verdict !== 'read') events.push(JSON.parse(body.toString('utf8', start, items[i + 1])));
        }
      } catch {
        return undefined;
      }
      return { events, malformed: 0, ignored, newest: timesOf(body).last };
    },
  };
}

const NEWLINE = 0x0a;
const CLOSING = 0x7d;
/** Rare in metadata, so that looking for a second beginning in a line costs little. */
const LETTER = 0x45;
const BEGINNING = '{"kind":"Event","apiVersion":"audit.k8s.io/v1",';
const LETTER_AT = BEGINNING.indexOf('E');
const GLUED = text(BEGINNING);

/**
 * Calls back for each line that is a hit or must be parsed (`certain` is false then); returns the number of ignored writes. A line without interest is skipped whatever follows its head,
 * but not when its end is missing, or when the API server died within it and the next event is glued to it.
 */
export function keptLines(buffer: Buffer, probe: Probe, keep: (start: number, end: number, certain: boolean) => void): number {
  const judge = probe(buffer);
  const view = viewOf(buffer);
  let ignored = 0;
  for (let start = 0; start < buffer.length; ) {
    const newline = buffer.indexOf(NEWLINE, start);
    const end = newline < 0 ? buffer.length : newline;
    const verdict = judge(start);
    if (verdict === 'parse' || buffer[end - 1] !== CLOSING || isGlued(buffer, view, start, end)) keep(start, end, false);
    else if (verdict === 'hit') keep(start, end, true);
    else if (verdict === 'write') ignored += 1;
    start = end + 1;
  }
  return ignored;
}

function isGlued(buffer: Buffer, view: DataView, start: number, end: number): boolean {
  let at = start + LETTER_AT;
  do {
    at = buffer.indexOf(LETTER, at + 1);
    if (at < 0 || at >= end) return false;
  } while (!standsAt(view, at - LETTER_AT, GLUED));
  return true;
}
