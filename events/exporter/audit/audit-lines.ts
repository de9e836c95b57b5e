/** Reads complete lines of an audit log, newlines included; `lines` is reused afterwards, so nothing may keep a part of it. */
export type ParseLines = (lines: Buffer) => { events: unknown[]; malformed: number };

/** How every line of kube-apiserver's log begins; no object in a request body can have this type. */
const BEGINNING = '{"kind":"Event","apiVersion":"audit.k8s.io/v1",';

/** Reads each line with JSON.parse. A line torn by a crash of the API server has the next event glued to it: that one is kept. */
export function parseAuditLines(lines: Buffer): { events: unknown[]; malformed: number } {
  const events: unknown[] = [];
  let malformed = 0;
  for (const line of lines.toString('utf8').split('\n')) {
    if (line.trim() === '') continue;
    const event = parse(line);
    if (event !== undefined) {
      events.push(event);
      continue;
    }
    malformed++;
    const again = line.lastIndexOf(BEGINNING);
    const whole = again > 0 ? parse(line.slice(again)) : undefined;
    if (whole !== undefined) events.push(whole);
  }
  return { events, malformed };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const KEY = '"stageTimestamp":"';

/** stageTimestamp of the first and the last event in these lines, in milliseconds; undefined where there is none. Nothing is parsed. */
export function timesOf(lines: Buffer): { first: number | undefined; last: number | undefined } {
  const end = lines.indexOf(10);
  return { first: lastTime(end < 0 ? lines : lines.subarray(0, end)), last: lastTime(lines) };
}

/** The last one in an event is its own: bodies stand before it, and annotations hold only strings. */
function lastTime(lines: Buffer): number | undefined {
  const at = lines.lastIndexOf(KEY);
  if (at < 0) return undefined;
  const from = at + KEY.length;
  const time = Date.parse(lines.toString('latin1', from, lines.indexOf('"', from)));
  return Number.isNaN(time) ? undefined : time;
}
