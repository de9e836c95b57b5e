/**
 * A value that a fact claims. Whoever can publish a fact chooses it, so it may delay or prevent a fix and it may guide a report, but it
 * never justifies a fix: read the same thing from the cluster instead. It is not JSON, so it enters neither evidence nor memory by accident.
 */
export class Hint<T> {
  readonly #claim: T;

  constructor(claim: T) {
    this.#claim = claim;
  }

  /** What the fact claims, unproven. */
  claimed(): T {
    return this.#claim;
  }

  /** Throws: a hint that reaches a record would look like a proven value there. */
  toJSON(): never {
    throw new TypeError('A hint is a claim, not a value: read the cluster, or show it to people with hint(…)');
  }
}

/** The values that a definition's `hints` picked from a fact, each as a claim. */
export type Hints<H> = { readonly [K in keyof H]: Hint<H[K]> };

/** Wraps every picked value. */
export const asHints = <H extends object>(picked: H): Hints<H> =>
  Object.fromEntries(Object.entries(picked).map(([name, claim]) => [name, new Hint(claim)])) as Hints<H>;
