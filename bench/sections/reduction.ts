import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readAuditEvent } from '../../events/exporter/audit/audit-record.ts';
import { Reducer } from '../../events/exporter/reduce/reduce.ts';
import type { Rule } from '../../events/exporter/reduce/rules.ts';
import { type Recorded, readBundle } from '../../infra/local/bundle.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { idleCluster } from '../idle-cluster.ts';
import type { BenchOptions, Findings, Section } from '../section.ts';

const RECORDINGS = join(import.meta.dirname, '../../test/incidents');
const MONTH = 30 * 86_400;
/** Dollars an entry of up to 64 KiB: EventBridge's price of custom events. */
const PRICE = 1e-6;
const GOAL = 0.999;

interface Reduced {
  name: string;
  audit: number;
  watch: number;
  out: number;
  seconds: number;
}

/** Audit and watch events in, entries of the bus out, with the rules of all remediations. */
export const section: Section = { name: 'reduction', run };

async function run({ quick, progress }: BenchOptions): Promise<Findings> {
  const rules = (await loadRemediations()).flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
  const folders = readdirSync(RECORDINGS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  progress(`Reduction: ${folders.length} recordings and an idle cluster`);
  const recorded = folders.map(({ name }) => reduce(name, readBundle(join(RECORDINGS, name)), rules));
  const idle = reduce('idle cluster (made up)', idleCluster(quick ? 600 : 3_600), rules);
  const all = [idle, ...recorded];
  const json = all.map((one) => [
    one.name,
    { in: one.audit + one.watch, out: one.out, fewer: share(one), fewerInADay: inADay(one, idle), dollarsPerMonth: dollars(one) },
  ]);
  return {
    tables: [
      {
        title: 'Reduction: events in, entries of the bus out',
        columns: [
          'scenario',
          'minutes',
          'audit in',
          'watch in',
          'entries out',
          'fewer',
          'fewer in a day',
          '$ / month as it was',
          '$ / month unreduced',
        ],
        rows: all.map((one) => [
          one.name,
          (one.seconds / 60).toFixed(1),
          one.audit,
          one.watch,
          one.out,
          `${(100 * share(one)).toFixed(2)} %${share(one) >= GOAL ? '' : ' *'}`,
          `${(100 * inADay(one, idle)).toFixed(3)} %`,
          dollars(one).toFixed(4),
          dollars({ ...one, out: one.audit + one.watch }).toFixed(2),
        ]),
        notes: [
          'With the rules of all remediations; of watch events only those of the resources they name. A month as it was: as if the recording went on for 30 days, at $1 per million entries of up to 64 KiB; the ingestion of audit into CloudWatch is not in it.',
          "* Below 99.9 %. These recordings begin shortly before a failure, hold little but the failing resource, and last minutes: every one of those facts is what a remediation asked for, and the denominator is small. 'Fewer in a day' sets the same facts against one such day of the idle cluster.",
          'The idle cluster is made up from the rates in which real operators write when nothing happens: leases and leader ConfigMaps every 2 s, node leases every 10 s, no-op PUTs at each resync, Events.',
        ],
      },
    ],
    json: { reduction: Object.fromEntries(json) },
  };
}

const share = ({ audit, watch, out }: Reduced): number => 1 - out / (audit + watch);
/** The scenario within a day of the idle cluster. */
const inADay = ({ audit, watch, out }: Reduced, idle: Reduced): number =>
  1 - out / (audit + watch + ((idle.audit + idle.watch) / idle.seconds) * 86_400);
const dollars = ({ out, seconds }: Reduced): number => (out / seconds) * MONTH * PRICE;

/** Runs events through the reducer on their own clock, a tick each second. */
function reduce(name: string, events: Recorded[], rules: Rule[]): Reduced {
  const reducer = new Reducer({ cluster: name, rules });
  const watched = new Set(reducer.resources.map(({ resource }) => resource));
  const [first, last] = [events[0]?.at ?? 0, events.at(-1)?.at ?? 0];
  let now = first;
  const counts = { audit: 0, watch: 0, out: 0 };
  for (const recorded of events) {
    for (; now + 1_000 <= recorded.at; now += 1_000) counts.out += reducer.tick(now).length;
    if (recorded.kind === 'watch') {
      if (watched.has(recorded.event.resource)) counts.watch += 1;
      counts.out += reducer.watch(recorded.event).length;
    } else if (recorded.kind === 'audit') {
      counts.audit += 1;
      const reading = readAuditEvent(recorded.event);
      if (reading.kind === 'record') counts.out += reducer.audit(reading.record).length;
    }
  }
  for (; now <= last + 61_000; now += 1_000) counts.out += reducer.tick(now).length;
  return { name, ...counts, seconds: Math.max(1, (last - first) / 1_000) };
}
