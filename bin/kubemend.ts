#!/usr/bin/env node
import { COMMAND, finish, runVerb } from './run-verb.ts';
import { UsageError } from './verb.ts';
import { VERBS } from './verbs.ts';

const FOOT = `Every verb takes --json and --help.
Exit codes: 0 done or yes; 1 no, not reached, or (scan) something was found; 2 wrong usage or bad input;
3 (scan) nothing was found, but not everything could be looked at; 70 a defect of kubemend.`;

async function main(argv: string[]): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (['help', '--help', '-h'].includes(name)) return overview();
  const load = VERBS[name];
  if (!load) throw new UsageError(`There is no verb "${name}". Run: ${COMMAND} --help`);
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

const argv = process.argv.slice(2);
await finish(argv, () => main(argv));
