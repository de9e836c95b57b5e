import type { Envelope } from '../../fact.ts';
import { compile } from '../../pattern.ts';
import { asRecord } from '../as-record.ts';
import type { RuleDemand } from './rules.ts';

/** The rules compiled: says which of them a fact matches, and counts the facts of each. */
export class FactRules {
  readonly #rules: { name: string; detailType: string; windows: number[]; matches: (event: unknown) => boolean }[];
  readonly #counts = new Map<string, number>();

  constructor(demands: RuleDemand[]) {
    this.#rules = demands.map(({ rule, detailType, windows }) => {
      const matches = compile(rule.pattern) as (event: unknown) => boolean;
      return { name: rule.name, detailType, windows, matches };
    });
  }

  /** Names of the rules that the fact matches; `seconds` when it counts a window. */
  matching(detailType: string, detail: Envelope['detail'], seconds?: number): string[] {
    const event = { id: '', source: 'kubernetes', 'detail-type': detailType, time: detail.observedAt, detail };
    const rules = this.#rules.filter((rule) => rule.detailType === detailType && (seconds === undefined || rule.windows.includes(seconds)));
    return [...new Set(rules.filter(({ matches }) => matches(event)).map(({ name }) => name))];
  }

  /** Counts facts that are sent. */
  count(facts: Envelope[]): void {
    for (const { detail, 'detail-type': type } of facts) {
      const { seconds } = asRecord(detail.window);
      for (const rule of this.matching(type, detail, seconds as number | undefined)) {
        this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1);
      }
    }
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
