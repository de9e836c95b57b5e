import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../state/sqlite.ts';
import { lettersContract } from './letters-contract.ts';
import { SqliteLetters } from './sqlite-letters.ts';

lettersContract('SqliteLetters, two connections on one file,', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kubemend-'));
  const [one, two] = [openDatabase(join(directory, 'state.db')), openDatabase(join(directory, 'state.db'))];
  return {
    one: new SqliteLetters(one, Date.now),
    two: new SqliteLetters(two, Date.now),
    close: async () => {
      one.close();
      two.close();
      await rm(directory, { recursive: true });
    },
  };
});
