import { expect, it } from '@jest/globals';
import { MayNotActError } from '../../shared/acting.ts';
import { openDatabase } from '../../shared/state/sqlite.ts';
import { Ingest, isPassing } from './ingest.ts';

const sqlite = (errcode: number) => Object.assign(new Error('database'), { code: 'ERR_SQLITE_ERROR', errcode });

it('A fact that cannot be recorded now is handed in again until it is, and more are refused meanwhile', async () => {
  const ingest = new Ingest();
  let failures = 2;
  const blocked: boolean[] = [];
  await ingest.hand(async () => {
    blocked.push(ingest.isBlocked);
    if (failures-- > 0) throw sqlite(5);
  });
  expect(blocked).toEqual([false, false, false]);
  expect(ingest.isBlocked).toBe(false);

  let tries = 0;
  const waiting = ingest.hand(async () => {
    tries += 1;
    throw new MayNotActError('the lease ended');
  });
  await new Promise(setImmediate);
  expect(ingest.isBlocked).toBe(true);
  ingest.stop();
  await expect(waiting).rejects.toThrow('the lease ended');
  expect(tries).toBe(2);
});

it('A defect is not tried again', async () => {
  let tries = 0;
  const take = async () => {
    tries += 1;
    throw new TypeError('x is undefined');
  };
  await expect(new Ingest().hand(take)).rejects.toThrow(TypeError);
  expect(tries).toBe(1);
});

it.each<[string, number, boolean]>([
  ['a lock', 5, true],
  ['a lock by the same process', 6, true],
  ['a disk that is full', 13, true],
  ['an I/O error, with its details', 10 | (3 << 8), true],
  ['a directory that is read-only for a while', 8, true],
  ['a damaged file', 11, false],
  ['a constraint, as of a lost lease', 1811, false],
])('%s passes: %i %s', (_, errcode, passes) => {
  expect(isPassing(sqlite(errcode))).toBe(passes);
});

it('The errors of SQLite have the shape that is looked for', () => {
  const database = openDatabase(':memory:');
  database.exec('PRAGMA query_only = ON');
  try {
    database.exec("INSERT INTO settings VALUES ('a', 'b')");
    throw new Error('it was stored');
  } catch (error) {
    expect({ ...(error as object), passes: isPassing(error) }).toMatchObject({ code: 'ERR_SQLITE_ERROR', errcode: 8, passes: true });
  }
});
