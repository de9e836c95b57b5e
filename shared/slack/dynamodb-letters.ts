import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Item, Table } from '../state/dynamodb-table.ts';
import { packText, unpackText } from '../state/packed-text.ts';
import type { Letter, Letters } from './letter.ts';

/*
 * In the state table, three partitions that nobody else writes (infra/slack.cjs):
 *
 *   pk               sk       what it is
 *   slack#letters    <key>    a letter, under the condition of its version; `expires` once all of it is told
 *   slack#pending    <key>    a letter of this version may have something to tell: written before the letter, removed after it
 *   slack#settings   <name>   what the notifier remembers of itself; the partition `settings` is people's
 *
 * A mark without a letter to tell costs a read; a letter to tell without its mark cannot be: marks are removed up to the version that was read.
 * The index by-update would need no marks, but it is late by up to seconds, and a letter that was just kept is to be told now.
 */

const LETTERS = 'slack#letters';
const PENDING = 'slack#pending';
const SETTINGS = 'slack#settings';
/** The partitions above: all that the notifier may write, but for its lease. */
export const SLACK_PARTITIONS = [LETTERS, PENDING, SETTINGS];

/** Days that a letter is kept when all is told: longer than its incident, so that nothing is told twice. */
const KEEP = 180;
const LARGEST = 390_000;

export interface DynamoLettersOptions {
  client: Pick<DynamoDBClient, 'send'>;
  table: string;
  now(): number;
  /** Something nobody else makes: tells our own write from somebody else's when its answer was lost. */
  nonce(): string;
}

/** Letters in the state table. Throws TableError when it cannot answer. */
export class DynamoLetters implements Letters {
  readonly #table: Table;
  readonly #options: DynamoLettersOptions;

  constructor(options: DynamoLettersOptions) {
    this.#table = new Table(options);
    this.#options = options;
  }

  async load(key: string): Promise<Letter | undefined> {
    const text = unpackText((await this.#table.get(LETTERS, key))?.letter);
    return text === undefined ? undefined : (JSON.parse(text) as Letter);
  }

  async save(letter: Letter): Promise<boolean> {
    const { key, version, pendingSince } = letter;
    if (pendingSince !== undefined) await this.#mark(key, version, pendingSince);
    const saved = await this.#put(letter);
    if (saved && pendingSince === undefined) await this.#unmark(key, version);
    return saved;
  }

  async pending(limit: number): Promise<Letter[]> {
    const marks = (await this.#table.query(PENDING)).map(({ sk, since }) => ({ key: sk?.S ?? '', since: Number(since?.N) }));
    const found: Letter[] = [];
    for (const { key } of marks.sort(byAge)) {
      if (found.length >= limit) break;
      const letter = await this.load(key);
      if (letter?.pendingSince !== undefined) found.push(letter);
      // Its mark outlived it. The mark of somebody who is about to save the next version stays.
      else if (letter) await this.#unmark(key, letter.version);
    }
    return found;
  }

  /** What the notifier remembers of itself, as State keeps what people set. */
  setting(name: string): Promise<string | undefined> {
    return this.#table.text(SETTINGS, name);
  }

  set(name: string, value: string | undefined): Promise<void> {
    return this.#table.setText(SETTINGS, name, value);
  }

  async #put(letter: Letter): Promise<boolean> {
    const { key, version, pendingSince } = letter;
    const { now, nonce } = this.#options;
    const item: Item = {
      ...{ pk: { S: LETTERS }, sk: { S: key }, version: { N: `${version}` }, letter: lettered(letter) },
      ...(pendingSince === undefined && { expires: { N: `${Math.ceil(now() / 1_000) + KEEP * 24 * 3_600}` } }),
    };
    return this.#table.putOurs(
      version === 1
        ? { item, condition: 'attribute_not_exists(pk)' }
        : { item, condition: '#version = :before', values: { ':before': { N: `${version - 1}` } }, names: { '#version': 'version' } },
      nonce(),
    );
  }

  /** A mark of this version or a later one stands there afterwards. */
  async #mark(key: string, version: number, since: number): Promise<void> {
    await this.#table.put({
      item: { pk: { S: PENDING }, sk: { S: key }, version: { N: `${version}` }, since: { N: `${since}` } },
      condition: 'attribute_not_exists(pk) OR #version < :version',
      values: { ':version': { N: `${version}` } },
      names: { '#version': 'version' },
    });
  }

  /** No mark of this version or an earlier one stands there afterwards; who saves a later one keeps his. */
  #unmark = (key: string, version: number): Promise<boolean> => this.#table.deleteUpTo(PENDING, key, version);
}

const byAge = (a: { since: number; key: string }, b: { since: number; key: string }): number =>
  a.since - b.since || (a.key < b.key ? -1 : 1);

function lettered(letter: Letter): ReturnType<typeof packText> {
  const packed = packText(JSON.stringify(letter));
  if ('B' in packed && packed.B.length > LARGEST)
    throw new Error(
      `The letter ${letter.key} has ${packed.B.length} bytes compressed, the state table takes ${LARGEST}: it is not told. See it with: kubemend incidents`,
    );
  return packed;
}
