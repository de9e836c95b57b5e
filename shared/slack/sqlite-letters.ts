import type { DatabaseSync } from 'node:sqlite';
import type { Letter, Letters } from './letter.ts';

const TABLE = `
  CREATE TABLE IF NOT EXISTS slack_letters (key TEXT PRIMARY KEY, version INTEGER NOT NULL, pending INTEGER, letter TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS slack_pending ON slack_letters (pending) WHERE pending IS NOT NULL;
`;

/** Letters on `node:sqlite`, in the database of state and schedule. */
export class SqliteLetters implements Letters {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(TABLE);
  }

  async load(key: string): Promise<Letter | undefined> {
    const row = this.#database.prepare('SELECT letter FROM slack_letters WHERE key = ?').get(key);
    return row && (JSON.parse(row.letter as string) as Letter);
  }

  async save(letter: Letter): Promise<boolean> {
    const { key, version, pendingSince = null } = letter;
    const row = [version, pendingSince, JSON.stringify(letter)] as const;
    const sql =
      version === 1
        ? 'INSERT OR IGNORE INTO slack_letters (version, pending, letter, key) VALUES (?, ?, ?, ?)'
        : 'UPDATE slack_letters SET version = ?, pending = ?, letter = ? WHERE key = ? AND version = ?';
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
