import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { readEnvironment } from './environment.ts';
import { UsageError, type Verb } from './verb.ts';

/** How it was called: as itself or as a plugin of kubectl. */
export const COMMAND = basename(process.argv[1] ?? '') === 'kubectl-mend' ? 'kubectl mend' : 'kubemend';

/** Runs one verb with its arguments, or prints its help; resolves to the exit code. Throws UsageError. */
export async function runVerb(name: string, verb: Verb, args: string[]): Promise<number> {
  const options = { ...verb.options, json: { type: 'boolean' as const, help: 'one JSON document instead of text' } };
  const help = { help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parse(name, () => parseArgs({ args, options: { ...options, ...help }, allowPositionals: true }));
  if (values.help) {
    const lines = [verb.summary, '', `  ${COMMAND} ${verb.usage}`, '', ...optionLines(options), '', 'Examples:'];
    for (const line of [...lines, ...verb.examples.map((example) => `  ${example.replaceAll('kubemend ', `${COMMAND} `)}`)])
      console.log(line);
    return 0;
  }
  if (positionals.length < verb.positionals.least || positionals.length > verb.positionals.most) {
    throw new UsageError(`Usage: ${COMMAND} ${verb.usage}. Run: ${COMMAND} ${name} --help`);
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

/** Ends the program with the exit code of `main`: 2 after a UsageError, 70 after a defect. */
export async function finish(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    const { name, message, stack } = error as Error;
    // By name: the class would bring the AWS SDK into every verb.
    const table = name === 'TableError';
    const usage = error instanceof UsageError || table;
    if (table) console.error(`${message}. Are the table, the region and the credentials right?`);
    else console.error(usage ? message : `kubemend failed: ${stack}`);
    process.exitCode = usage ? 2 : 70;
  }
}

const optionLines = (options: Verb['options']): string[] =>
  Object.entries(options).map(([name, { type, help }]) => `  --${`${name}${type === 'string' ? ' …' : ''}`.padEnd(16)} ${help}`);

function parse<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UsageError(`${(error as Error).message}. Run: ${COMMAND} ${name} --help`);
  }
}
