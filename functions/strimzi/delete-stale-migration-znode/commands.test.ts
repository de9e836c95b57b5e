import { expect, it } from '@jest/globals';
import { overShell } from '../../../shared/zookeeper/shell.ts';
import definition from './index.ts';

const commands = definition.rights.flatMap((right) =>
  'commands' in right ? [...(right.commands ?? []), ...(('writeCommands' in right && right.writeCommands) || [])] : [],
);

/** Whether one of the declared commands takes all these words, each by itself, as the admission policy asks. */
const isDeclared = (words: string[]): boolean =>
  commands.some((one) => one.length === words.length && one.every((word, index) => new RegExp(`^(?:${word})$`).test(words[index] ?? '')));

it('The declared commands are those that the shell runs, with data of several lines too.', async () => {
  const ran: string[][] = [];
  const znodes = overShell(12181, async (words) => {
    ran.push(words);
    return { code: 0, stdout: '', stderr: '' };
  });
  await znodes.read('/migration').catch(() => undefined);
  await znodes.remove('/migration', 3);
  await znodes.create('/migration', Buffer.from('{"version":0,\n"kraft_metadata_offset":5}\n'));
  expect(ran.map((words) => words.slice(5).join(' ').slice(0, 20))).toEqual([
    'sync /migration',
    'get -s /migration',
    'delete -v 3 /migrati',
    'create /migration {"',
  ]);
  expect(ran.filter((words) => !isDeclared(words))).toEqual([]);
});

it('No declared command takes a word that holds several.', () => {
  const [env, zone, ...rest] = [...(commands[0] ?? [])].map((word) => word.replace('[.]', '.'));
  expect(isDeclared([`${env}`, `${zone} ${rest.slice(0, 3).join(' ')} create /migration x`, 'sh'])).toBe(false);
  expect(isDeclared([`${env}`, `${zone}`, ...rest.slice(0, 3), 'create /migration {}'])).toBe(false);
});
