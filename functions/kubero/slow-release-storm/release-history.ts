import * as z from 'zod';
import { milliseconds } from '../../../shared/duration.ts';
import type { Fact } from '../../../shared/remediation.ts';

/** One version of a Helm release, as the labels of its Secret name it. `at` is when it was seen, milliseconds. */
export interface Revision {
  release: string;
  version: number;
  at: number;
}

/** What an incident remembers of a release: its newest version, and how many upgrades in a row its pipeline gave no reason for. */
export type History = { generation: number; version: number; at: number; upgrades: number };

/** So many upgrades in a row are a storm. Measured: right on every recording. */
export const PROOF = 4;
/** Upgrades further apart are no storm, each is for itself. */
export const RARE = '6m';
/** Installing writes up to five versions within 3 s: versions closer than this are one upgrade. */
const BURST = 4_000;

const labelled = z.object({ metadata: z.object({ labels: z.object({ name: z.string().min(1), version: z.string().regex(/^\d+$/) }) }) });

/** The revision a fact about a release Secret tells of; undefined for every other fact. */
export function revisionOf(fact: Fact): Revision | undefined {
  const parsed = 'current' in fact && fact.object.resource === 'secrets' ? labelled.safeParse(fact.current) : undefined;
  if (!parsed?.success) return undefined;
  const { name, version } = parsed.data.metadata.labels;
  return { release: name, version: Number(version), at: Date.parse(fact.observedAt) };
}

/** The history with one more revision. It starts over when the pipeline was changed, the version did not rise by one, or long after the last one. */
export function follow(before: History | undefined, { version, at }: Revision, generation: number): History {
  const start = { generation, version, at, upgrades: 1 };
  if (before === undefined || before.generation !== generation) return start;
  if (version === before.version) return before;
  const rise = version - before.version;
  // While a plan waits nobody is asked about every revision: what was three in a row and rose since is four.
  const inARow = rise === 1 || (rise > 1 && before.upgrades >= PROOF - 1);
  if (!inARow || (at - before.at) / rise > milliseconds(RARE)) return start;
  return { ...start, upgrades: before.upgrades + (at - before.at < BURST ? 0 : 1) };
}

/** The history after a revision that was made while the release failed: it counts for nothing, and nothing before it does. */
export const dropped = ({ version, at }: Revision, generation: number): History => ({ generation, version, at, upgrades: 0 });
