import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchOptions, Findings, Section, Table } from './section.ts';

const HELP = `npm run bench -- [--quick] [--json] [--only throughput,webhook,rejected,reduction,watch,loss] [--events 1000000] [--seconds 600] [--repeat 3] [--directory DIR]
Measures the exporter beside its peers, and keeps what it found in bench/results; bench/README.md is written from there. --quick writes nothing.`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    only: { type: 'string' },
    events: { type: 'string' },
    seconds: { type: 'string' },
    repeat: { type: 'string' },
    rate: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
    directory: { type: 'string', default: join(tmpdir(), 'kubemend-bench') },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}

const options: BenchOptions = {
  quick: values.quick,
  events: Number(values.events ?? (values.quick ? 50_000 : 1_000_000)),
  seconds: Number(values.seconds ?? (values.quick ? 5 : 600)),
  repeat: Number(values.repeat ?? (values.quick ? 1 : 3)),
  rate: Number(values.rate),
  seed: Number(values.seed),
  directory: values.directory,
  progress: (line) => console.error(line),
};

const folder = join(import.meta.dirname, 'sections');
const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
const sections = await Promise.all(files.map(async (file) => ((await import(join(folder, file))) as { section: Section }).section));
const only = values.only?.split(',');
const ORDER = ['throughput', 'webhook', 'rejected', 'watch', 'reduction', 'loss'];
const chosen = sections.filter(({ name }) => !only || only.includes(name)).sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));

const results = join(import.meta.dirname, 'results');
const found: Findings[] = [];
for (const section of chosen) {
  console.error(`== ${section.name}`);
  const load = loadavg()[0]?.toFixed(1);
  const findings = await section.run(options);
  found.push(findings);
  if (!values.json) for (const table of findings.tables) console.log(`\n${markdown(table)}`);
  if (!values.quick) keep(section.name, { conditions: conditions(load), tables: findings.tables });
}
if (!values.quick) writeFileSync(join(import.meta.dirname, 'README.md'), report());
if (values.json)
  console.log(JSON.stringify(Object.assign({ kubemend: {}, peers: {}, loss: null, reduction: null }, ...found.map(({ json }) => json))));

function markdown({ title, columns, rows, notes }: Table): string {
  const cells = [columns, columns.map(() => '---'), ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const lines = cells.map(
    (row) => `| ${row.map((cell, i) => (cell === '---' ? '-'.repeat(widths[i] ?? 3) : cell.padEnd(widths[i] ?? 0))).join(' | ')} |`,
  );
  return [`## ${title}`, '', ...lines, '', ...notes.map((note) => `- ${note}`)].join('\n');
}

interface Kept {
  conditions: string;
  tables: Table[];
}

function keep(name: string, kept: Kept): void {
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(kept, null, 2)}\n`);
}

function conditions(load: string | undefined): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.version}`;
  const settings = `seed ${options.seed}, ${options.events} events, ${options.seconds} s of sustained load, best of ${options.repeat}`;
  return `${new Date().toISOString().slice(0, 10)}, ${machine}; ${settings}; load average before the start ${load} on ${cpus().length} cores.`;
}

/** The newest findings of every section. */
function report(): string {
  const parts = ORDER.flatMap((name) => {
    if (!readdirSync(results).includes(`${name}.json`)) return [];
    const { conditions, tables } = JSON.parse(readFileSync(join(results, `${name}.json`), 'utf8')) as Kept;
    return tables.map((table, index) => `\n${markdown(table)}${index === tables.length - 1 ? `\n- Measured ${conditions}` : ''}`);
  });
  return `${['# Benchmarks', '', 'Written by `npm run bench`; nothing here is edited by hand.', ...parts].join('\n')}\n`;
}
