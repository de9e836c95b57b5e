import { isInFuture } from '../clock-step.ts';
import { type Item, sortKeyOf, type Table } from './dynamodb-table.ts';
import { countsIn, OVERALL } from './scope.ts';
import type { State } from './state.ts';

const SPEND_TRIES = 20;
const DAY_S = 24 * 3_600;

/** Executions with their times, milliseconds since the epoch. */
type Spent = Record<string, number>;

interface Options {
  /** Every remediation of the installation. */
  remediations: string[];
  /** The one that this process counts for; undefined: it may read only. */
  own: string | undefined;
  wait(ms: number): Promise<unknown>;
}

/**
 * Budgets and breakers. Each remediation counts in partitions of its own, `budget/<remediation>` and `breaker/<remediation>`, and a scope that all
 * share is the sum over them: a role can neither take back nor invent what another one counted. A failure is an item of its own that
 * the role may put and not delete (infra/policies.ts), so it cannot take back its own failures either.
 */
export class DynamoCounters {
  readonly #table: Table;
  readonly #options: Options;

  constructor(table: Table, options: Options) {
    this.#table = table;
    this.#options = options;
  }

  /**
   * As `State.spend`. In a scope that others share, an execution is recorded first and everything is counted again afterwards: of two remediations that
   * spend at once, at least one sees both, so together they never exceed the limit. Both may see both: then nobody spends.
   */
  async spend({ scope, execution, at, since, limit }: Parameters<State['spend']>[0]): Promise<boolean> {
    const own = this.#own(scope);
    const others = this.#counting(scope).filter((one) => one !== own);
    const elsewhere = async () =>
      (await Promise.all(others.map((one) => this.#spent(one, scope, at)))).flatMap((spent) => recentIn(spent, since)).length;
    let mine = 0;
    const put = await this.#change(own, scope, { at, since }, async (spent) => {
      const isKnown = Object.hasOwn(spent, execution);
      mine = recentIn({ ...spent, [execution]: at }, since).length;
      if (isKnown) return mine + (await elsewhere()) <= limit || others.length === 0 ? 'as it is' : undefined;
      return mine + (await elsewhere()) <= limit ? { ...spent, [execution]: at } : undefined;
    });
    if (put !== 'changed' || others.length === 0) return put !== undefined;
    if (mine + (await elsewhere()) <= limit) return true;
    await this.#change(own, scope, { at, since }, async ({ [execution]: _, ...rest }) => rest);
    return false;
  }

  tally(scope: string, incident: string): Promise<void> {
    return this.#table.set({ pk: { S: breakerOf(this.#own(scope)) }, sk: { S: `${scope}#${incident}` } });
  }

  async tallied(scope: string): Promise<number> {
    const found = await Promise.all(this.#counting(scope).map((one) => this.#table.query(breakerOf(one), `${scope}#`)));
    return found.flat().length;
  }

  async tallies(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { scope } of await this.#failures()) counts[scope] = (counts[scope] ?? 0) + 1;
    return counts;
  }

  async reset(scope: string): Promise<void> {
    const closed = (await this.#failures()).filter((one) => one.scope === scope || one.scope.startsWith(`${scope}/`));
    await Promise.all(closed.map(({ pk, sk }) => this.#table.delete(pk, sk)));
  }

  /** Every failure that its remediation may have recorded. */
  async #failures(): Promise<{ pk: string; sk: string; scope: string }[]> {
    const found = await Promise.all(
      this.#options.remediations.map(async (remediation) => {
        const pk = breakerOf(remediation);
        const failures = (await this.#table.query(pk)).map(sortKeyOf).map((sk) => ({ pk, sk, scope: sk.slice(0, sk.lastIndexOf('#')) }));
        return failures.filter(({ scope }) => countsIn(remediation, scope));
      }),
    );
    return found.flat();
  }

  /** Replaces what a remediation has spent, if nobody else does meanwhile. Undefined where `next` refuses. */
  async #change(
    own: string,
    scope: string,
    { at, since }: { at: number; since: number },
    next: (spent: Spent) => Promise<Spent | 'as it is' | undefined>,
  ): Promise<'changed' | 'as it is' | undefined> {
    for (let attempt = 1; attempt <= SPEND_TRIES; attempt += 1) {
      const old = await this.#table.get(budgetOf(own), scope);
      const known = spentIn(old, at);
      const answer = await next(known);
      if (answer === 'as it is' || (answer === undefined && !isAhead(old, at))) return answer;
      // Refused, but what was counted in the future is put right.
      const spent = answer ?? known;
      const version = Number(old?.version?.N ?? 0);
      const item = {
        ...{ pk: { S: budgetOf(own) }, sk: { S: scope }, version: { N: `${version + 1}` } },
        spent: { S: JSON.stringify(Object.fromEntries(recentIn(spent, since))) },
        expires: { N: `${Math.ceil((2 * at - since) / 1_000) + DAY_S}` },
      };
      const names = { '#version': 'version' };
      const condition = old ? '#version = :version' : 'attribute_not_exists(pk)';
      if (await this.#table.put({ item, condition, ...(old && { names, values: { ':version': { N: `${version}` } } }) }))
        return answer && 'changed';
      await this.#options.wait(10 * attempt);
    }
    throw new Error(`The budget ${scope} was changed by another process ${SPEND_TRIES} times in a row: nothing is written`);
  }

  async #spent(remediation: string, scope: string, now: number): Promise<Spent> {
    return spentIn(await this.#table.get(budgetOf(remediation), scope), now);
  }

  #counting(scope: string): string[] {
    return this.#options.remediations.filter((remediation) => countsIn(remediation, scope));
  }

  #own(scope: string): string {
    const { own } = this.#options;
    if (own === undefined || !countsIn(own, scope))
      throw new Error(`${own ?? 'This process'} does not count in ${scope} (shared scope: ${OVERALL})`);
    return own;
  }
}

const budgetOf = (remediation: string): string => `budget/${remediation}`;
const breakerOf = (remediation: string): string => `breaker/${remediation}`;
const isAhead = (item: Item | undefined, now: number): boolean =>
  Object.values(JSON.parse(item?.spent?.S ?? '{}') as Spent).some((at) => isInFuture(at, now));
/** What a clock that ran ahead has counted in the future counts from now on. */
const spentIn = (item: Item | undefined, now: number): Spent =>
  Object.fromEntries(Object.entries(JSON.parse(item?.spent?.S ?? '{}') as Spent).map(([execution, at]) => [execution, Math.min(at, now)]));
const recentIn = (spent: Spent, since: number): [string, number][] => Object.entries(spent).filter(([, time]) => time > since);
