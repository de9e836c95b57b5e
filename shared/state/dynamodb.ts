import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Incident } from '../incident.ts';
import { recordsOf, type Record as Statistics } from '../statistics.ts';
import { incidentOf, recordItem } from './dynamodb-record.ts';
import { type Item, Table } from './dynamodb-table.ts';
import { byAge, type IncidentFilter, isMeant, type State } from './state.ts';

/*
 * One table. Every decision rests on a strongly consistent read or on the condition of the write itself.
 *
 *   pk                    sk             what it is
 *   incident/<key>        <ordinal>      the record, under the condition of its revision; `expires` once it has ended
 *   id/<4 digits>         <id>           which key and ordinal an id names; stays (100 bytes), so that no open incident ever loses its id
 *   lease/<name>          -              owner and until, under the condition that it is free, run out or ours
 *   budget/<scope>        -              executions with their times; one item, replaced under the condition of its version
 *   breakers              <scope>        the set of incidents that were counted: adding to a set twice is adding once
 *   settings              <name>         what people set. Functions may only read this partition (infra/roles.cjs)
 *
 * The index by-update lists the records by `shelf` and `updated`: unfinished (work in the outbox) and rest by their last change, and
 * looking (nothing but a look is waited for) by when that is due. Records of older versions that wait for a look lie on rest until they change.
 */

export interface DynamoStateOptions {
  client: Pick<DynamoDBClient, 'send'>;
  table: string;
  wait(ms: number): Promise<unknown>;
  /** Something nobody else makes: tells our own write from somebody else's when its answer was lost. */
  nonce(): string;
  /** Days that an ended incident is kept. Default 90. */
  keep?: number;
}

const ONLY = '-';
/** What waits for a look is listed by another time, so it is sorted here: so many of it. */
const LOOKING = 1_000;
const EVERY = Number.POSITIVE_INFINITY;
const SPEND_TRIES = 20;
const DAY = 24 * 3_600;

/** State on one DynamoDB table. Throws TableError when it cannot answer. */
export class DynamoState implements State {
  readonly #table: Table;
  readonly #options: DynamoStateOptions;

  constructor(options: DynamoStateOptions) {
    this.#table = new Table(options);
    this.#options = options;
  }

  async latest(key: string): Promise<Incident | undefined> {
    const [newest] = await this.#table.query(`incident/${key}`, '', { descending: true, limit: 1 });
    return newest && incidentOf(newest);
  }

  async load(id: string): Promise<Incident | undefined> {
    if (!/^[0-9a-f]{4,12}$/.test(id)) return undefined;
    const named = await this.#table.query(`id/${id.slice(0, 4)}`, id);
    const found = await Promise.all(
      named.map(async ({ sk, key, ordinal }) => {
        const item = await this.#table.get(`incident/${key?.S}`, sortable(Number(ordinal?.N)));
        return item && item.id?.S === sk?.S ? [incidentOf(item)] : [];
      }),
    );
    const [incident, ...others] = found.flat();
    return others.length === 0 ? incident : undefined;
  }

  async save(incident: Incident, expected: number): Promise<boolean> {
    const { id, key, ordinal } = incident;
    const at = { pk: { S: `incident/${key}` }, sk: { S: sortable(ordinal) } };
    const item = { ...at, ...recordItem(incident, this.#options.keep ?? 90) };
    if (expected === 0) await this.#name(incident);
    return this.#table.putOurs(
      expected === 0
        ? { item, condition: 'attribute_not_exists(pk)' }
        : { item, condition: 'id = :id AND revision = :expected', values: { ':id': { S: id }, ':expected': { N: `${expected}` } } },
      this.#options.nonce(),
    );
  }

  async list({ unfinished = false, limit = 1_000, ...filter }: Parameters<State['list']>[0] = {}): Promise<Incident[]> {
    const shelves = unfinished ? ['unfinished'] : ['unfinished', 'looking', 'rest'];
    // The index knows nothing of the filter: so many are read until enough of them match.
    for (let read = limit; ; read *= 4) {
      const all = await this.#newest(shelves, read);
      const found = all.filter((incident) => isMeant(incident, filter)).slice(0, limit);
      if (found.length === limit || all.length < read) return found;
    }
  }

  async #newest(shelves: string[], limit: number): Promise<Incident[]> {
    // One after the other, in the way that records go: one that goes meanwhile is met twice, and not missed.
    const found = new Map<string, Incident>();
    for (const shelf of shelves)
      for (const incident of (await this.#table.newest(shelf, shelf === 'looking' ? Math.max(limit, LOOKING) : limit)).map(incidentOf))
        if ((found.get(incident.id)?.revision ?? -1) < incident.revision) found.set(incident.id, incident);
    return [...found.values()].sort((a, b) => b.updatedAt - a.updatedAt || (a.id < b.id ? -1 : 1)).slice(0, limit);
  }

  /** Reads all that match. */
  count = async (filter: IncidentFilter = {}): Promise<number> => (await this.list({ ...filter, limit: EVERY })).length;

  async idsLike(prefix: string, limit: number): Promise<string[]> {
    if (!/^[0-9a-f]{4,12}$/.test(prefix)) return [];
    return (await this.#table.query(`id/${prefix.slice(0, 4)}`, prefix, { limit })).map(sortKeyOf);
  }

  /** Reads all incidents: counting as they change would take a right to write for every function. They expire after 90 days, so there is a limit to it. */
  statistics = async (): Promise<Statistics[]> => recordsOf(await this.list({ limit: EVERY }));

  async left({ touched, due }: { touched: number; due: number }, limit = 1_000): Promise<Incident[]> {
    const [unfinished, looking] = [await this.#table.oldest('unfinished', touched, limit), await this.#table.oldest('looking', due, limit)];
    return byAge([...unfinished, ...looking].map(incidentOf)).slice(0, limit);
  }

  /** Before the record, so that none is ever without its id; a name without a record is nobody's. */
  async #name({ id, key, ordinal }: Incident): Promise<void> {
    const named = await this.#table.put({
      item: { pk: { S: `id/${id.slice(0, 4)}` }, sk: { S: id }, key: { S: key }, ordinal: { N: `${ordinal}` } },
      condition: 'attribute_not_exists(pk) OR (#key = :key AND ordinal = :ordinal)',
      values: { ':key': { S: key }, ':ordinal': { N: `${ordinal}` } },
      names: { '#key': 'key' },
    });
    if (!named) throw new Error(`The id ${id} names another incident than ${key} ${ordinal} in the state table: nothing is written`);
  }

  lease(name: string, owner: string, until: number, now: number): Promise<boolean> {
    const expires = { N: `${Math.ceil(until / 1_000) + DAY}` };
    return this.#table.put({
      item: { pk: { S: `lease/${name}` }, sk: { S: ONLY }, owner: { S: owner }, until: { N: `${until}` }, expires },
      condition: 'attribute_not_exists(pk) OR #owner = :owner OR #until <= :now',
      values: { ':owner': { S: owner }, ':now': { N: `${now}` } },
      names: { '#owner': 'owner', '#until': 'until' },
    });
  }

  async release(name: string, owner: string): Promise<void> {
    await this.#table.delete(`lease/${name}`, ONLY, owner);
  }

  async spend({ scope, execution, at, since, limit }: Parameters<State['spend']>[0]): Promise<boolean> {
    const pk = `budget/${scope}`;
    for (let attempt = 1; attempt <= SPEND_TRIES; attempt += 1) {
      const old = await this.#table.get(pk, ONLY);
      const spent = JSON.parse(old?.spent?.S ?? '{}') as Record<string, number>;
      if (Object.hasOwn(spent, execution)) return true;
      const recent = Object.entries(spent).filter(([, time]) => time > since);
      if (recent.length >= limit) return false;
      const version = Number(old?.version?.N ?? 0);
      const item = {
        pk: { S: pk },
        sk: { S: ONLY },
        version: { N: `${version + 1}` },
        spent: { S: JSON.stringify({ ...Object.fromEntries(recent), [execution]: at }) },
        expires: { N: `${Math.ceil((2 * at - since) / 1_000) + DAY}` },
      };
      const names = { '#version': 'version' };
      const condition = old ? '#version = :version' : 'attribute_not_exists(pk)';
      if (await this.#table.put({ item, condition, ...(old && { names, values: { ':version': { N: `${version}` } } }) })) return true;
      await this.#options.wait(10 * attempt);
    }
    throw new Error(`The budget ${scope} was changed by somebody else ${SPEND_TRIES} times in a row: nothing is written`);
  }

  tally(scope: string, incident: string): Promise<void> {
    return this.#table.add('breakers', scope, 'incidents', incident);
  }

  async tallied(scope: string): Promise<number> {
    return (await this.#table.get('breakers', scope))?.incidents?.SS?.length ?? 0;
  }

  async tallies(): Promise<Record<string, number>> {
    const items = await this.#table.query('breakers');
    return Object.fromEntries(items.map((item) => [sortKeyOf(item), item.incidents?.SS?.length ?? 0]));
  }

  async reset(scope: string): Promise<void> {
    const below = (await this.#table.query('breakers', `${scope}/`)).map(sortKeyOf);
    await Promise.all([scope, ...below].map((one) => this.#table.delete('breakers', one)));
  }

  setting(name: string): Promise<string | undefined> {
    return this.#table.text('settings', name);
  }

  set(name: string, value: string | undefined): Promise<void> {
    return this.#table.setText('settings', name, value);
  }

  async settings(): Promise<Record<string, string>> {
    const items = await this.#table.query('settings');
    return Object.fromEntries(items.map((item) => [sortKeyOf(item), item.value?.S ?? '']));
  }
}

/** Numbers in the order of texts. */
const sortable = (ordinal: number): string => `${ordinal}`.padStart(10, '0');

const sortKeyOf = (item: Item): string => item.sk?.S ?? '';
