import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { MAX_LEASE_MS } from '../clock-step.ts';
import type { Incident } from '../incident.ts';
import { recordsOf, type Record as Statistics } from '../statistics.ts';
import { DynamoCounters } from './dynamodb-counters.ts';
import { incidentOf, partitionOf, recordItem } from './dynamodb-record.ts';
import { type Item, sortKeyOf, Table } from './dynamodb-table.ts';
import { byAge, type IncidentFilter, isMeant, type State } from './state.ts';

/*
 * One table. Every decision rests on a strongly consistent read or on the condition of the write itself.
 * The partition key names the remediation, so that IAM can limit each function to its own (`dynamodb:LeadingKeys`, infra/policies.ts).
 *
 *   pk                              sk                   what it is
 *   incident/<key>                  <ordinal>            the record, under the condition of its revision; `expires` once it has ended
 *   id/<remediation>                <id>                 which key and ordinal an id names; stays (100 bytes), so that no open incident ever loses its id
 *   lease/incident/<remediation>/…  -                    owner and until, under the condition that it is free, run out or ours
 *   lease/target/<group>/<kind>/…   -                    the same of an object that is written; every function that may write the kind shares it
 *   budget/<remediation>            <scope>              executions with their times; one item, replaced under the condition of its version
 *   breaker/<remediation>           <scope>#<incident>   a fix that did not help; functions may put it and never delete it
 *   settings                        <name>               what people set. Functions may only read it
 *
 * A key begins with its remediation. The index by-update lists the records by `shelf` and `updated`: unfinished (work in the outbox) and rest
 * by their last change, and looking (nothing but a look is waited for) by when that is due.
 */

export interface DynamoStateOptions {
  client: Pick<DynamoDBClient, 'send'>;
  table: string;
  wait(ms: number): Promise<unknown>;
  /** Something nobody else makes: tells our own write from somebody else's when its answer was lost. */
  nonce(): string;
  /** Every remediation of the installation: their incidents can be named by id, and their failures and executions count. */
  remediations: string[];
  /** The remediation that this process acts for: it reads and writes no incident of another. */
  own?: string | undefined;
  /** A record that is listed and cannot be read: it is left out, and reported here. */
  onProblem(message: string): void;
  /** Days that an ended incident is kept. Default 90. */
  keep?: number;
}

const ONLY = '-';
/** What waits for a look is listed by another time, so it is sorted here: so many of it. */
const LOOKING = 1_000;
const EVERY = Number.POSITIVE_INFINITY;
const DAY = 24 * 3_600;

/** State on one DynamoDB table. Throws TableError when it cannot answer. */
export class DynamoState implements State {
  readonly #table: Table;
  readonly #options: DynamoStateOptions;
  readonly #counters: DynamoCounters;

  constructor(options: DynamoStateOptions) {
    this.#table = new Table(options);
    this.#options = options;
    const { remediations, own, wait } = options;
    this.#counters = new DynamoCounters(this.#table, { remediations, own, wait });
  }

  async latest(key: string): Promise<Incident | undefined> {
    const [newest] = await this.#table.query(`incident/${key}`, '', { descending: true, limit: 1 });
    return newest && incidentOf(newest);
  }

  async load(id: string): Promise<Incident | undefined> {
    if (!/^[0-9a-f]{4,12}$/.test(id)) return undefined;
    const named = (await Promise.all(this.#named().map((one) => this.#table.query(`id/${one}`, id)))).flat();
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
    const { id, ordinal } = incident;
    const at = { pk: { S: partitionOf(incident) }, sk: { S: sortable(ordinal) } };
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
      const { incidents, items } = await this.#newest(shelves, read);
      const found = incidents.filter((incident) => isMeant(incident, filter)).slice(0, limit);
      if (found.length === limit || items < read) return found;
    }
  }

  /** With how many items they came from: some may be unreadable. */
  async #newest(shelves: string[], limit: number): Promise<{ incidents: Incident[]; items: number }> {
    // One after the other, in the way that records go: one that goes meanwhile is met twice, and not missed.
    const found = new Map<string, Incident>();
    let read = 0;
    for (const shelf of shelves) {
      const items = await this.#table.newest(shelf, shelf === 'looking' ? Math.max(limit, LOOKING) : limit);
      read += items.length;
      for (const incident of this.#readable(items))
        if ((found.get(incident.id)?.revision ?? -1) < incident.revision) found.set(incident.id, incident);
    }
    const incidents = [...found.values()].sort((a, b) => b.updatedAt - a.updatedAt || (a.id < b.id ? -1 : 1)).slice(0, limit);
    return { incidents, items: read };
  }

  /** Reads all that match. */
  count = async (filter: IncidentFilter = {}): Promise<number> => (await this.list({ ...filter, limit: EVERY })).length;

  async idsLike(prefix: string, limit: number): Promise<string[]> {
    if (!/^[0-9a-f]{4,12}$/.test(prefix)) return [];
    const found = await Promise.all(this.#named().map((one) => this.#table.query(`id/${one}`, prefix, { limit })));
    return found.flat().map(sortKeyOf).sort().slice(0, limit);
  }

  /** Reads all incidents: counting as they change would take a right to write for every function. They expire after 90 days, so there is a limit to it. */
  statistics = async (): Promise<Statistics[]> => recordsOf(await this.list({ limit: EVERY }));

  async left({ touched, due, beyond }: Parameters<State['left']>[0], limit = 1_000): Promise<Incident[]> {
    const [unfinished, looking] = [await this.#table.oldest('unfinished', touched, limit), await this.#table.oldest('looking', due, limit)];
    const far = beyond === undefined ? [] : await this.#table.newestAfter('looking', beyond, limit);
    return byAge(this.#readable([...unfinished, ...looking, ...far])).slice(0, limit);
  }

  /** The remediations whose incidents this process may name. */
  #named = (): string[] => (this.#options.own === undefined ? this.#options.remediations : [this.#options.own]);

  /** One record that cannot be read must not hide the others, nor keep them from being taken up. */
  #readable(items: Item[]): Incident[] {
    return items.flatMap((item) => {
      try {
        return [incidentOf(item)];
      } catch (error) {
        this.#options.onProblem((error as Error).message);
        return [];
      }
    });
  }

  /** Before the record, so that none is ever without its id; a name without a record is nobody's. */
  async #name({ id, key, ordinal, remediation }: Incident): Promise<void> {
    const named = await this.#table.put({
      item: { pk: { S: `id/${remediation}` }, sk: { S: id }, key: { S: key }, ordinal: { N: `${ordinal}` } },
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
      condition: 'attribute_not_exists(pk) OR #owner = :owner OR #until <= :now OR #until > :longest',
      values: { ':owner': { S: owner }, ':now': { N: `${now}` }, ':longest': { N: `${now + MAX_LEASE_MS}` } },
      names: { '#owner': 'owner', '#until': 'until' },
    });
  }

  async release(name: string, owner: string): Promise<void> {
    await this.#table.delete(`lease/${name}`, ONLY, owner);
  }

  spend: State['spend'] = (spending) => this.#counters.spend(spending);
  tally: State['tally'] = (scope, incident) => this.#counters.tally(scope, incident);
  tallied: State['tallied'] = (scope) => this.#counters.tallied(scope);
  tallies: State['tallies'] = () => this.#counters.tallies();
  reset: State['reset'] = (scope) => this.#counters.reset(scope);

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
