#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { own } from '../shared/own.ts';
import { COMMAND, finish, runVerb } from './run-verb.ts';
import { terminal } from './terminal.ts';
import { UsageError } from './verb.ts';
import { VERBS } from './verbs.ts';

const { version: VERSION } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
const FOOT = `Every verb takes --json and --help; kubemend help VERB and kubemend --version work, too.
Exit codes: 0 done or yes; 1 no, not reached, or (scan) something was found; 2 wrong usage, bad input, or files that cannot be used;
3 (scan, send) undecided: not everything answered, or time has to pass for an answer; 70 a defect of kubemend.
With --json, an error is {"error":{"message","exitCode"}} on standard output.`;

async function main(argv: string[]): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (['--version', '-V'].includes(name)) return print([VERSION]);
  if (['help', '--help', '-h'].includes(name))
    return rest[0] === undefined || rest[0].startsWith('-') ? overview() : main([rest[0], '--help']);
  const load = own(VERBS, name);
  if (!load) throw new UsageError(`There is no verb "${name}". Run: ${COMMAND} --help`);
  return runVerb(name, (await load()).verb, rest);
}

async function overview(): Promise<number> {
  const lines: string[] = [];
  for (const [name, load] of Object.entries(VERBS)) lines.push(`  ${name.padEnd(10)} ${(await load()).verb.summary}`);
  return print(['kubemend repairs known failures of Kubernetes operators, and proves what it does.', '', 'Verbs:', ...lines, '', FOOT]);
}

function print(lines: string[]): number {
  const { out } = terminal();
  for (const line of lines.flatMap((text) => text.split('\n'))) out(line);
  return 0;
}

const argv = process.argv.slice(2);
await finish(argv, () => main(argv));
