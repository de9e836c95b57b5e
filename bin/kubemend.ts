#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { readEnvironment } from './environment.ts';
import { UsageError, type Verb } from './verb.ts';
import { VERBS } from './verbs.ts';

const FOOT = `Every verb takes --json and --help.
Exit codes: 0 done or yes; 1 no, not reached, or (scan) something was found; 2 wrong usage or bad input;
3 (scan) nothing was found, but not everything could be looked at; 70 a defect of kubemend.`;

async function main(argv: string[]): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (['help', '--help', '-h'].includes(name)) return overview();
  const load = VERBS[name];
  if (!load) throw new UsageError(`There is no verb "${name}". Run: kubemend --help`);
  const { verb } = await load();
  const options = { ...verb.options, json: { type: 'boolean' as const, help: 'one JSON document instead of text' } };
  const help = { help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parse(name, () => parseArgs({ args: rest, options: { ...options, ...help }, allowPositionals: true }));
  if (values.help)
    return print([
      verb.summary,
      '',
      `  kubemend ${verb.usage}`,
      '',
      ...optionLines(options),
      '',
      'Examples:',
      ...verb.examples.map((line) => `  ${line}`),
    ]);
  if (positionals.length < verb.positionals.least || positionals.length > verb.positionals.most) {
    throw new UsageError(`Usage: kubemend ${verb.usage}. Run: kubemend ${name} --help`);
  }
  return verb.run({
    values,
    positionals,
    environment: readEnvironment(),
    json: values.json === true,
    out: (line = '') => console.log(line),
    err: (line = '') => console.error(line),
  });
}

async function overview(): Promise<number> {
  const lines: string[] = [];
  for (const [name, load] of Object.entries(VERBS)) lines.push(`  ${name.padEnd(10)} ${(await load()).verb.summary}`);
  return print(['kubemend repairs known failures of Kubernetes operators, and proves what it does.', '', 'Verbs:', ...lines, '', FOOT]);
}

const optionLines = (options: Verb['options']): string[] =>
  Object.entries(options).map(([name, { type, help }]) => `  --${`${name}${type === 'string' ? ' …' : ''}`.padEnd(16)} ${help}`);

function print(lines: string[]): number {
  for (const line of lines) console.log(line);
  return 0;
}

function parse<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UsageError(`${(error as Error).message}. Run: kubemend ${name} --help`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError;
  console.error(usage ? error.message : `kubemend failed: ${(error as Error).stack}`);
  process.exitCode = usage ? 2 : 70;
}
