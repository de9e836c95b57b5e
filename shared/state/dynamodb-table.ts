import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';

/** An item or a part of it, as DynamoDB writes it: `{ S: 'text' }`, `{ N: '1' }`. */
export type Item = Record<string, AttributeValue>;

/** An item with the condition under which it replaces what is there; values as `:name`, reserved words as `#name`. */
export interface ConditionalPut {
  item: Item;
  condition: string;
  values?: Item;
  names?: Record<string, string>;
}

/** The index that lists incidents by their last change. */
export const BY_UPDATE = 'by-update';

/** What CreateTable and CloudFormation need alike; `expires` (seconds) is the TTL attribute. */
export const TABLE_SCHEMA = {
  BillingMode: 'PAY_PER_REQUEST' as const,
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' as const },
    { AttributeName: 'sk', AttributeType: 'S' as const },
    { AttributeName: 'shelf', AttributeType: 'S' as const },
    { AttributeName: 'updated', AttributeType: 'N' as const },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' as const },
    { AttributeName: 'sk', KeyType: 'RANGE' as const },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: BY_UPDATE,
      KeySchema: [
        { AttributeName: 'shelf', KeyType: 'HASH' as const },
        { AttributeName: 'updated', KeyType: 'RANGE' as const },
      ],
      Projection: { ProjectionType: 'ALL' as const },
    },
  ],
};

/** The table did not answer as it must: nothing is known, so nothing may be written anywhere. */
export class TableError extends Error {
  override name = 'TableError';

  constructor(table: string, doing: string, cause: Error) {
    super(`The state table ${table} could not ${doing}: ${cause.name}: ${cause.message}`, { cause });
  }
}

/** One table through few verbs. Reads are strongly consistent, but those of the index. A condition that fails is `false`; anything else throws TableError. */
export class Table {
  readonly #client: Pick<DynamoDBClient, 'send'>;
  readonly #table: string;

  constructor({ client, table }: { client: Pick<DynamoDBClient, 'send'>; table: string }) {
    this.#client = client;
    this.#table = table;
  }

  async get(pk: string, sk: string): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: this.#table, Key: keyOf(pk, sk), ConsistentRead: true });
    return (await this.#ask('read', () => this.#client.send(command))).Item;
  }

  /** The items of a partition whose sort key begins with `prefix`, in its order. */
  query(pk: string, prefix = '', { descending = false, limit = Number.POSITIVE_INFINITY } = {}): Promise<Item[]> {
    const condition = prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)';
    const values = { ':pk': { S: pk }, ...(prefix !== '' && { ':prefix': { S: prefix } }) };
    return this.#pages({ condition, values, descending, limit, index: undefined });
  }

  /** The newest of a shelf of the index, eventually consistent: for people and for taking up work, where nothing is decided. */
  newest(shelf: string, limit: number): Promise<Item[]> {
    return this.#pages({ condition: 'shelf = :shelf', values: { ':shelf': { S: shelf } }, descending: true, limit, index: BY_UPDATE });
  }

  /** Those of a shelf of the index that stand before a time, oldest first; the same holds for them. */
  oldest(shelf: string, before: number, limit: number): Promise<Item[]> {
    const values = { ':shelf': { S: shelf }, ':before': { N: `${before}` } };
    return this.#pages({ condition: 'shelf = :shelf AND updated < :before', values, descending: false, limit, index: BY_UPDATE });
  }

  /** Those of a shelf of the index that stand after a time, newest first; the same holds for them. */
  newestAfter(shelf: string, after: number, limit: number): Promise<Item[]> {
    const values = { ':shelf': { S: shelf }, ':after': { N: `${after}` } };
    return this.#pages({ condition: 'shelf = :shelf AND updated > :after', values, descending: true, limit, index: BY_UPDATE });
  }

  put({ item, condition, values, names }: ConditionalPut): Promise<boolean> {
    const command = new PutItemCommand({
      TableName: this.#table,
      Item: item,
      ConditionExpression: condition,
      ...(values && { ExpressionAttributeValues: values }),
      ...(names && { ExpressionAttributeNames: names }),
    });
    return this.#conditionally('write', () => this.#client.send(command));
  }

  /** The same with a `nonce` that nobody else makes. The client sends again when an answer is lost: then it is our own write that stands in the way. */
  async putOurs({ item, ...put }: ConditionalPut, nonce: string): Promise<boolean> {
    const saved = await this.put({ ...put, item: { ...item, nonce: { S: nonce } } });
    return saved || (await this.get(`${item.pk?.S}`, `${item.sk?.S}`))?.nonce?.S === nonce;
  }

  /** A text that is kept by its name. */
  async text(pk: string, name: string): Promise<string | undefined> {
    return (await this.get(pk, name))?.value?.S;
  }

  /** Keeps it, or with undefined forgets it. */
  async setText(pk: string, name: string, value: string | undefined): Promise<void> {
    if (value === undefined) await this.delete(pk, name);
    else await this.set({ pk: { S: pk }, sk: { S: name }, value: { S: value } });
  }

  /** Writes whatever is there. */
  async set(item: Item): Promise<void> {
    await this.#ask('write', () => this.#client.send(new PutItemCommand({ TableName: this.#table, Item: item })));
  }

  /** Removes an item, under a condition if one is given. */
  delete(pk: string, sk: string, owner?: string): Promise<boolean> {
    const command = new DeleteItemCommand({
      TableName: this.#table,
      Key: keyOf(pk, sk),
      ...(owner !== undefined && {
        ConditionExpression: '#owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': { S: owner } },
      }),
    });
    return this.#conditionally('delete', () => this.#client.send(command));
  }

  /** Removes an item whose `version` is not above this one. */
  deleteUpTo(pk: string, sk: string, version: number): Promise<boolean> {
    const command = new DeleteItemCommand({
      TableName: this.#table,
      Key: keyOf(pk, sk),
      ConditionExpression: '#version <= :version',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: { ':version': { N: `${version}` } },
    });
    return this.#conditionally('delete', () => this.#client.send(command));
  }

  async #pages(asked: { condition: string; values: Item; descending: boolean; limit: number; index: string | undefined }): Promise<Item[]> {
    const { condition, values, descending, limit, index } = asked;
    const items: Item[] = [];
    let after: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: this.#table,
        ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
        KeyConditionExpression: condition,
        ExpressionAttributeValues: values,
        ScanIndexForward: !descending,
        ...(limit < 2 ** 31 && { Limit: limit - items.length }),
        ExclusiveStartKey: after,
      });
      const page = await this.#ask('list', () => this.#client.send(command));
      items.push(...(page.Items ?? []));
      after = page.LastEvaluatedKey;
    } while (after && items.length < limit);
    return items;
  }

  async #conditionally(doing: string, send: () => Promise<unknown>): Promise<boolean> {
    try {
      await this.#ask(doing, send);
      return true;
    } catch (error) {
      if (((error as TableError).cause as Error).name === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  async #ask<T>(doing: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw new TableError(this.#table, doing, error as Error);
    }
  }
}

/** The sort key of an item. */
export const sortKeyOf = (item: Item): string => item.sk?.S ?? '';

const keyOf = (pk: string, sk: string): Item => ({ pk: { S: pk }, sk: { S: sk } });
