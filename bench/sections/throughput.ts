import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundled, NODE_FLAGS } from '../bundled.ts';
import { corpus } from '../corpus.ts';
import { type Cost, type Hits, hitsOf, measured } from '../measure.ts';
import { PEERS, type Peer } from '../peers.ts';
import type { BenchOptions, Findings, Section } from '../section.ts';

interface Result {
  program: string;
  cost: Cost;
  hits: Hits;
}

/** Events of one corpus through the probe and through other programs, on one core. */
export const section: Section = { name: 'throughput', run };

async function run(options: BenchOptions): Promise<Findings> {
  const { directory, events, seed, repeat, progress } = options;
  progress(`Making the corpus of ${events} events in ${directory}`);
  const { path, bytes } = corpus(directory, events, seed);
  const out = join(directory, 'hits.ndjson');
  const program = await bundled('select.ts', directory);
  const node = [process.execPath, ...NODE_FLAGS, program, path, out];

  const best = async (peer: Pick<Peer, 'name' | 'command' | 'env' | 'until'>, times: number): Promise<Result> => {
    let result: Result | undefined;
    for (let i = 0; i < times; i += 1) {
      rmSync(out, { force: true });
      const { env, until } = peer;
      const cost = await measured(peer.command, { ...(env && { env }), ...(until && { until }) });
      progress(`${peer.name}: ${cost.cpuSeconds.toFixed(2)} CPU-s, ${Math.round(cost.rssMiB)} MiB`);
      if (!result || cost.cpuSeconds < result.cost.cpuSeconds) result = { program: peer.name, cost, hits: await hitsOf(out) };
    }
    return result as Result;
  };

  const ours = await best({ name: 'kubemend: probe', command: [...node, 'probe'] }, repeat);
  const parsing = await best({ name: 'kubemend: probe, parse the hits', command: [...node, 'parse'] }, repeat);
  const reference = await best({ name: 'Node: JSON.parse of every event', command: [...node, 'all'] }, 1);
  const results = [ours, parsing, reference];
  const unavailable: string[] = [];
  const peers: Record<string, unknown> = {};
  for (const [key, make] of Object.entries(PEERS)) {
    try {
      const peer = await make(path, out, join(directory, 'peers'));
      const result = await best(
        { ...peer, name: `${peer.name} ${peer.version.replace(`${peer.name}-`, '').replace(/^\w+ (?=\d)| \(.*/g, '')}` },
        key === 'fastjson' ? repeat : 1,
      );
      results.push(result);
      peers[key] = { kEventsPerCpuSecond: rate(events, result), rssMiB: Math.round(result.cost.rssMiB), hits: result.hits.count };
    } catch (error) {
      unavailable.push(`Not available: ${key}: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
      peers[key] = null;
    }
  }
  const rows = results.map((result) => [
    result.program,
    rate(events, result),
    result.cost.cpuSeconds.toFixed(2),
    result.cost.wallSeconds.toFixed(1),
    Math.round(result.cost.rssMiB),
    result.hits.count,
    result.hits.hash === reference.hits.hash ? 'equal' : 'DIFFERENT',
  ]);
  rmSync(out, { force: true });
  return {
    tables: [
      {
        title: 'Throughput: writes on five groups out of an audit log',
        columns: ['program', 'k events / CPU-s', 'CPU-s', 'wall s', 'peak RSS MiB', 'hits', 'auditIDs'],
        rows,
        notes: [
          `${events} events at level Metadata, ${(bytes / 1e9).toFixed(2)} GB, made by bench/corpus.ts; each program is pinned to one core, reads the file and writes the whole lines of its hits. CPU is user and system time, start of the process included.`,
          `kubemend and fastjson: best of ${repeat}; the others ran once. Nobody's experts tuned the peers. DuckDB is a batch engine with one thread.`,
          'The probe takes a whole line for a hit by its head alone, as it skips others; the exporter parses its hits afterwards, which the second row adds.',
          'Equal: the same count, and the same hash of the sorted auditIDs as JSON.parse of every event.',
          ...unavailable,
        ],
      },
    ],
    json: {
      kubemend: { kEventsPerCpuSecond: rate(events, ours), rssMiB: Math.round(ours.cost.rssMiB), parsed: rate(events, parsing) },
      peers,
    },
  };
}

const rate = (events: number, { cost }: Result): number => Math.round(events / cost.cpuSeconds / 1_000);
