/** What the command line chose. */
export interface BenchOptions {
  /** Seconds instead of minutes, for a look. */
  quick: boolean;
  /** Events of the corpus. */
  events: number;
  seed: number;
  /** Runs of what is compared closely; the best one counts. */
  repeat: number;
  /** Seconds of sustained load. */
  seconds: number;
  /** Events a second sent to the webhook. */
  rate: number;
  /** Where corpora, peers and outputs are kept. */
  directory: string;
  progress(line: string): void;
}

/** A table of a report, with what has to be said about it. */
export interface Table {
  title: string;
  columns: string[];
  rows: (string | number)[][];
  notes: string[];
}

/** What a section found. `json` is merged into the last line of `--json`. */
export interface Findings {
  tables: Table[];
  json: Record<string, unknown>;
}

/** A part of the benchmark: each file of `bench/sections/` exports one as `section`. */
export interface Section {
  name: string;
  run(options: BenchOptions): Promise<Findings>;
}
