/** The true time of a life, and what happens in it: nothing waits for real time. Milliseconds. */
export class Timeline {
  #now: number;
  #events: { at: number; n: number; action: () => void }[] = [];
  #n = 0;
  /** Rises with everything that any process does: a life is quiet when it rises no more. */
  activity = 0;

  constructor(start: number) {
    this.#now = start;
  }

  now = (): number => this.#now;

  at(at: number, action: () => void): void {
    this.#n += 1;
    this.#events.push({ at: Math.max(at, this.#now), n: this.#n, action });
  }

  after = (ms: number, action: () => void): void => this.at(this.#now + ms, action);

  /** Lets time pass: each event happens when everything before it has come to rest. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#events.toSorted((a, b) => a.at - b.at || a.n - b.n)[0];
      if (!next || next.at > end) break;
      this.#events = this.#events.filter((event) => event !== next);
      this.#now = next.at;
      next.action();
      await this.rest();
    }
    this.#now = end;
    await this.rest();
  }

  /** Resolves when no process does anything any more: each waits for a later event. */
  async rest(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const before = this.activity;
      await new Promise(setImmediate);
      quiet = this.activity === before ? quiet + 1 : 0;
    }
  }
}
