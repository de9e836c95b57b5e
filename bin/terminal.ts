import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { oneLine } from '../shared/one-line.ts';
import type { Call } from './verb.ts';

/** A colour or a weight. */
export type Style = Parameters<typeof styleText>[0];

/** Marks our own colours within a line. Text of a cluster cannot hold it: it is random in each process. */
const MARK = `\u0000${randomBytes(16).toString('hex')}:`;
const MARKED = new RegExp(`${MARK}([\\d;]*)m`);

/** Colours a text in a terminal; leaves it plain when piped or under NO_COLOR. Only `shown` makes terminal sequences of it. */
export function paint(style: Style, text: string): string {
  const parts = styleText(style, '|', { stream: process.stdout }).split('|');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape begins each sequence
  const [before = '', after = ''] = parts.map((sequences) => sequences.replace(/\u001b\[/g, MARK));
  return `${before}${text}${after}`;
}

/** A line as it may reach a terminal: whatever it holds, it stays one line, and its only terminal sequences are the colours of `paint`. */
export const shown = (line: string): string =>
  line
    .split(MARKED)
    .map((part, index) => (index % 2 === 1 ? `\u001b[${part}m` : oneLine(part)))
    .join('');

/** Standard output and standard error of this process: the one place that writes to them. */
export function terminal(): Pick<Call, 'out' | 'err'> & { stdout: NodeJS.WritableStream } {
  const { stdout, stderr } = process;
  stdout.once('error', (error: NodeJS.ErrnoException) => {
    // A reader that has enough (`| head`) is no problem to report.
    if (error.code !== 'EPIPE') stderr.write(`Standard output cannot be written: ${oneLine(error.message)}\n`);
    process.exit(1);
  });
  stderr.on('error', () => process.exit(1));
  return {
    out: (line = '') => void stdout.write(`${shown(line)}\n`),
    err: (line = '') => void stderr.write(`${shown(line)}\n`),
    stdout,
  };
}

/** Asks a person, on standard error. */
export async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await reader.question(question);
  } finally {
    reader.close();
  }
}
