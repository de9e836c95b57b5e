import type { ParseArgsOptionsConfig } from 'node:util';
import type { Environment } from './environment.ts';

/** The command line was used wrongly, or the input is bad: one sentence and the next step, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Exit code of a verb that was to look and came to no answer: a doubt is neither a yes nor an all-clear. */
export const UNDECIDED = 3;

/** What a verb is given. */
export interface Call {
  values: Record<string, string | boolean | string[] | undefined>;
  positionals: string[];
  environment: Environment;
  /** Prints one line to standard output. A line break in it is shown, not made: what others wrote cannot pretend to be another line. */
  out(line?: string): void;
  /** Prints one line to standard error: progress and problems. */
  err(line?: string): void;
  /** Prints a text of our own that has several lines. */
  text(lines: string): void;
  json: boolean;
}

/** One verb of the command line: one file in `bin/verbs/`. */
export interface Verb {
  summary: string;
  /** `explain ID [--json]` */
  usage: string;
  /** At least one command that can be copied. */
  examples: string[];
  /** Help text for each option. */
  options: Record<string, ParseArgsOptionsConfig[string] & { help: string }>;
  /** What `--json` prints, where that is not one document. */
  json?: string;
  /** How many positionals it takes. */
  positionals: { least: number; most: number };
  /** Resolves to the exit code: 0 yes or done, 1 no or not reached. */
  run(call: Call): Promise<number>;
}

/** The option every verb about stored incidents has. */
export const stateOption = {
  state: { type: 'string', help: 'folder of the state database (default: $KUBEMEND_STATE or ~/.local/state/kubemend)' },
} as const;

/** The options every verb has that also reaches what is installed in AWS. */
export const storeOptions = {
  ...stateOption,
  'aws-table': { type: 'string', help: 'instead of a folder: the state table of an installation in AWS, as in kubemend-prod' },
  region: { type: 'string', help: "region of that table (default: the AWS CLI's)" },
} as const;

/** The value of a string option, if given. */
export const text = (call: Call, name: string): string | undefined => {
  const value = call.values[name];
  return typeof value === 'string' ? value : undefined;
};
