import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFECT, UnexpectedError, unexpectedError } from './ending.ts';
import { readEnvironment } from './environment.ts';
import { terminal } from './terminal.ts';
import { type Call, UsageError, type Verb } from './verb.ts';

/** How it was called: as itself or as a plugin of kubectl (bin/kubemend says it by the title of the process). */
export const COMMAND = [basename(process.argv[1] ?? ''), process.title].includes('kubectl-mend') ? 'kubectl mend' : 'kubemend';

/** Runs one verb with its arguments, or prints its help; resolves to the exit code. Throws UsageError. */
export async function runVerb(name: string, verb: Verb, args: string[], surroundings = ofThisProcess()): Promise<number> {
  const options = { ...verb.options, json: { type: 'boolean' as const, help: verb.json ?? 'one JSON document instead of text' } };
  const help = { help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parse(name, () => parseArgs({ args, options: { ...options, ...help }, allowPositionals: true }));
  if (values.help) {
    const lines = [verb.summary, '', `  ${COMMAND} ${verb.usage}`, '', ...optionLines(options), '', 'Examples:'];
    for (const line of [...lines, ...verb.examples.map((example) => `  ${example.replaceAll('kubemend ', `${COMMAND} `)}`)])
      surroundings.out(line);
    return 0;
  }
  if (positionals.length < verb.positionals.least || positionals.length > verb.positionals.most) {
    throw new UsageError(`Usage: ${COMMAND} ${verb.usage}. Run: ${COMMAND} ${name} --help`);
  }
  const text = (lines: string): void => {
    for (const line of lines.split('\n')) surroundings.out(line);
  };
  return verb.run({ ...surroundings, text, values, positionals, json: values.json === true });
}

const ofThisProcess = (): Pick<Call, 'environment' | 'out' | 'err'> => ({
  environment: readEnvironment(),
  ...terminal(),
});

/** What holds the process longer than this after its verb ended is ended with it, milliseconds. */
const GRACE_MS = 10_000;

/**
 * Ends the program with the exit code of `main`: 2 after an error that a person can mend, 70 after a defect. With `--json` the error is a document, too.
 * An error that nothing was prepared for, wherever it comes from, ends it here as well.
 */
export async function finish(argv: string[], main: () => Promise<number>): Promise<void> {
  const { out, err } = terminal();
  const report = (error: Error): number => {
    const sentence = sentenceOf(error);
    const exitCode = sentence === undefined || error instanceof UnexpectedError ? DEFECT : 2;
    err(sentence ?? `kubemend failed: ${error.name}: ${error.message}`);
    for (const line of sentence === undefined ? callsOf(error) : []) err(line);
    if (argv.includes('--json')) out(JSON.stringify({ error: { message: sentence ?? error.message, exitCode } }));
    return exitCode;
  };
  const unexpected = unexpectedError().catch((error: Error) => {
    process.exitCode = report(error);
    return process.exitCode;
  });
  process.exitCode = await Promise.race([main().catch(report), unexpected]);
  setTimeout(() => process.exit(), GRACE_MS).unref();
}

/** Where a defect came from, without its message. */
const callsOf = ({ stack = '' }: Error): string[] => stack.split('\n').filter((line) => /^\s+at /.test(line));

/** What the system says of a path or a disk that somebody named. */
const OF_FILES = [
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENAMETOOLONG',
  'ELOOP',
];
/** SQLite's: busy, read-only, I/O, damaged, full, cannot be opened, no database. */
const OF_DATABASES = [5, 8, 10, 11, 13, 14, 26];

/** What to say of an error that is about the surroundings; undefined: it is a defect. */
export function sentenceOf(error: Error & { code?: unknown; errcode?: unknown; path?: unknown }): string | undefined {
  const { name, message, code, errcode, path } = error;
  if (error instanceof UsageError || error instanceof UnexpectedError) return message;
  // By name: the classes would bring the AWS SDK and the database into every verb.
  if (name === 'TableError') return `${message}. Are the table, the region and the credentials right?`;
  if (name === 'StateFileError') return `${message}. Name another folder with --state; this user must be able to write there, even to read`;
  if (name === 'DirectoryInUseError') return `${message}. Stop that process, or name another directory`;
  if (code === 'ERR_SQLITE_ERROR' && OF_DATABASES.includes(Number(errcode) & 0xff))
    return `The state database cannot be used: ${message}. Is the disk full or read-only, or the file damaged?`;
  if (path !== undefined && OF_FILES.includes(String(code))) return `${message}. Give a path that is there and that this user may use`;
  return undefined;
}

const optionLines = (options: Verb['options']): string[] =>
  Object.entries(options).map(([name, { type, help }]) => `  --${`${name}${type === 'string' ? ' …' : ''}`.padEnd(16)} ${help}`);

function parse<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    // What follows Node's first sentence is about options that begin with two dashes.
    const [line = ''] = (error as Error).message.split(/\.(?:\s|$)|\n/);
    throw new UsageError(`${line}. Run: ${COMMAND} ${name} --help`);
  }
}
