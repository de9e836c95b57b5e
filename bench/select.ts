// Reads an audit log, and writes the lines that are hits. `node select.ts LOG OUT HOW`: `probe` parses only what the probe is not certain of, `parse`
// parses each hit, too, as the exporter does before it reduces it, and `all` parses every event.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { auditProbe, type Probe } from '../events/exporter/audit/audit-probe.ts';
import { keptLines } from '../events/exporter/audit/audit-selector.ts';
import { HIT_RESOURCES } from './corpus.ts';

const CHUNK = 2 ** 20;
const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
const wanted = new Set(HIT_RESOURCES.map(({ group, resource }) => `${group}/${resource}`));

interface Parsed {
  stage: string;
  verb: string;
  objectRef?: { apiGroup?: string; resource: string };
}
const isHit = ({ stage, verb, objectRef }: Parsed): boolean =>
  (stage === 'ResponseComplete' || stage === 'Panic') &&
  WRITES.has(verb) &&
  wanted.has(`${objectRef?.apiGroup ?? ''}/${objectRef?.resource}`);

const [log = '', out = '', how = 'probe'] = process.argv.slice(2);
const everything: Probe = () => () => 'parse';
const probe = how === 'all' ? everything : auditProbe(HIT_RESOURCES);
const [input, output] = [openSync(log, 'r'), openSync(out, 'w')];
const chunk = Buffer.allocUnsafeSlow(CHUNK);
const kept = Buffer.allocUnsafeSlow(CHUNK);

for (let held = 0; ; ) {
  const got = readSync(input, chunk, held, CHUNK - held, null);
  if (got === 0) break;
  held += got;
  const complete = chunk.lastIndexOf(10, held - 1) + 1;
  if (complete === 0) throw new Error(`A line of ${log} is longer than ${CHUNK} bytes.`);
  const lines = chunk.subarray(0, complete);
  let size = 0;
  keptLines(lines, probe, (start, end, certain) => {
    if ((certain && how === 'probe') || isHit(JSON.parse(lines.toString('utf8', start, end))))
      size += lines.copy(kept, size, start, end + 1);
  });
  writeSync(output, kept, 0, size);
  chunk.copyWithin(0, complete, held);
  held -= complete;
}
closeSync(input);
closeSync(output);
