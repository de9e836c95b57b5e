import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { stateContract } from './contract.ts';
import { openDatabase, SqliteState } from './sqlite.ts';

stateContract('SqliteState, two connections on one file,', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kubemend-'));
  const [one, two] = [openDatabase(join(directory, 'deep/er/state.db')), openDatabase(join(directory, 'deep/er/state.db'))];
  return {
    one: new SqliteState(one),
    two: new SqliteState(two),
    close: async () => {
      one.close();
      two.close();
      await rm(directory, { recursive: true });
    },
  };
});

it('SqliteState throws when its database is gone, so that nothing is written anywhere', async () => {
  const database = openDatabase(':memory:');
  const state = new SqliteState(database);
  database.close();
  await expect(state.setting('paused')).rejects.toThrow(/database is not open/);
  await expect(state.lease('x', 'a', 1, 0)).rejects.toThrow(/database is not open/);
});
