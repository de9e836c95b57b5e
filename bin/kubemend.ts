#!/usr/bin/env node
import { finish, runVerb } from './run-verb.ts';
import { UsageError, type Verb } from './verb.ts';

const VERBS: Record<string, () => Promise<{ verb: Verb }>> = {
  sandbox: () => import('./verbs/sandbox.ts'),
  run: () => import('./verbs/run.ts'),
  incidents: () => import('./verbs/incidents.ts'),
  explain: () => import('./verbs/explain.ts'),
  approve: () => import('./verbs/approve.ts'),
  reject: () => import('./verbs/reject.ts'),
  mode: () => import('./verbs/mode.ts'),
  pause: () => import('./verbs/pause.ts'),
  resume: () => import('./verbs/resume.ts'),
  replay: () => import('./verbs/replay.ts'),
  export: () => import('./verbs/export.ts'),
  doctor: () => import('./verbs/doctor.ts'),
  rights: () => import('./verbs/rights.ts'),
  crds: () => import('./verbs/crds.ts'),
};

const FOOT = `Every verb takes --json and --help.
Exit codes: 0 done or yes; 1 no, not found or not reached; 2 wrong usage or bad input; 70 a defect of kubemend.`;

async function main(argv: string[]): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (['help', '--help', '-h'].includes(name)) return overview();
  const load = VERBS[name];
  if (!load) throw new UsageError(`There is no verb "${name}". Run: kubemend --help`);
  return runVerb(name, (await load()).verb, rest);
}

async function overview(): Promise<number> {
  const lines: string[] = [];
  for (const [name, load] of Object.entries(VERBS)) lines.push(`  ${name.padEnd(10)} ${(await load()).verb.summary}`);
  return print(['kubemend repairs known failures of Kubernetes operators, and proves what it does.', '', 'Verbs:', ...lines, '', FOOT]);
}

function print(lines: string[]): number {
  for (const line of lines) console.log(line);
  return 0;
}

await finish(() => main(process.argv.slice(2)));
