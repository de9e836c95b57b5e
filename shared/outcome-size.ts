import type { IncidentChanged } from '../events/incident-changed.ts';

/** UTF-8 bytes of an outcome. EventBridge takes 1 MB (256 KB until 2026), bills each 64 KB, and its targets take no more. */
export const LARGEST_OUTCOME = 60_000;

type Part = Record<string, unknown>;

/** Of a history that has to be cut: this many of its newest entries, as long as they fit. */
const ENTRIES = [50, 20, 5, 1];
const LONGEST_TEXT = 1_000;

/** An outcome that every bus takes: where it is too large, what is least needed goes first, and `record.truncated` says so. The state table keeps all of it. */
export function fitted(change: IncidentChanged): IncidentChanged {
  let fitting = change;
  for (const cut of CUTS) {
    if (Buffer.byteLength(JSON.stringify(fitting)) <= LARGEST_OUTCOME) return fitting;
    fitting = { ...fitting, because: clipped(fitting.because), record: { ...cut(fitting.record), truncated: true } };
  }
  return fitting;
}

const clipped = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT).toWellFormed()}…` : text);

const inHistory =
  (change: (entries: Part[]) => Part[]) =>
  (record: Part): Part => ({ ...record, history: change((record.history ?? []) as Part[]) });

/** The next line of `kubemend explain` that a reader of the outcome misses least. */
const CUTS: ((record: Part) => Part)[] = [
  inHistory((entries) => entries.map(({ reads, ...entry }, n) => (n === entries.length - 1 ? { ...entry, reads } : entry))),
  inHistory((entries) => entries.map((entry) => ({ ...entry, because: clipped(`${entry.because}`) }))),
  ...ENTRIES.map((newest) => inHistory((entries) => entries.slice(-newest))),
  inHistory((entries) => entries.map(({ at, state, because, by }) => ({ at, state, because, ...(by !== undefined && { by }) }))),
  // What is left of these is what a person needs to find the rest.
  ({ plan, ...record }) => ({ ...record, plan: plan && { hash: (plan as Part).hash, expiresAt: (plan as Part).expiresAt } }),
  ({ id, state, because, detectedAt, updatedAt }) => ({ id, state, because: clipped(`${because}`), detectedAt, updatedAt }),
];
