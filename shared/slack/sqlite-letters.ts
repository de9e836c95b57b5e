import type { DatabaseSync } from 'node:sqlite';
import type { Letter, Letters } from './letter.ts';

/** Letters on `node:sqlite`, in the database of state and schedule. */
export class SqliteLetters implements Letters {
  readonly #database: DatabaseSync;
  readonly #now: () => number;

  constructor(database: DatabaseSync, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  async load(key: string): Promise<Letter | undefined> {
    const row = this.#database.prepare('SELECT letter FROM slack_letters WHERE key = ?').get(key);
    return row && (JSON.parse(row.letter as string) as Letter);
  }

  async save(letter: Letter): Promise<boolean> {
    const { key, version, pendingSince = null } = letter;
    const row = [version, pendingSince, this.#now(), JSON.stringify(letter)] as const;
    const sql =
      version === 1
        ? 'INSERT OR IGNORE INTO slack_letters (version, pending, saved, letter, key) VALUES (?, ?, ?, ?, ?)'
        : 'UPDATE slack_letters SET version = ?, pending = ?, saved = ?, letter = ? WHERE key = ? AND version = ?';
    return this.#database.prepare(sql).run(...row, key, ...(version === 1 ? [] : [version - 1])).changes === 1;
  }

  async pending(limit: number): Promise<Letter[]> {
    const sql = 'SELECT letter FROM slack_letters WHERE pending IS NOT NULL ORDER BY pending, key LIMIT ?';
    return this.#database
      .prepare(sql)
      .all(limit)
      .map(({ letter }) => JSON.parse(letter as string) as Letter);
  }
}
