import type { Actor, RejectedWriter, WriteEffect, WritesCounted } from '../../writes-counted.ts';
import { shapeOf } from './shape.ts';
import { type Entry, type RequestEntry, SKEW, type Timeline } from './timeline.ts';
import { identityOf } from './writers.ts';

/** The counted part of a Writes Counted fact, and how many of its audit records have no trustworthy time. */
export type Tally = Pick<
  WritesCounted,
  'writes' | 'changes' | 'noops' | 'phantoms' | 'errors' | 'codes' | 'actors' | 'rejected' | 'recent' | 'shape'
> & { skewed: number };

/** What the tally must know besides the entries. */
export interface TallyOptions {
  /** False while no audit record was ever seen: then watch events stand for writes. */
  audit: boolean;
  /** Whether a request at this moment would have been seen by the watch, too. Others are never called no-ops. */
  watched: (at: number) => boolean;
}

const MAX_RECENT = 32;
const MAX_ACTORS = 32;
const MAX_REJECTED = 8;

/**
 * Counts the window (end − seconds, end]. A request is a no-op when it succeeded more than SKEW ago without a watch event; watch events without
 * a request are subtracted, so that a clock that is further off than SKEW hides no-ops instead of inventing them. `rejected` are the requests of the same window that stored nothing: they count as errors, never as writes.
 */
export function tally(
  timeline: Timeline,
  end: number,
  seconds: number,
  { audit, watched }: TallyOptions,
  rejected: RequestEntry[] = [],
): Tally {
  const entries = timeline.between(end - seconds * 1_000, end);
  const isSilent = (entry: Entry): boolean =>
    entry.source === 'audit' && entry.effect === 'success' && !entry.paired && !entry.skewed && entry.at <= end - SKEW && watched(entry.at);
  const sums = { change: 0, phantom: 0, error: 0, success: 0, silent: 0, unasked: 0, skewed: 0 };
  const codes: Record<string, number> = {};
  const writers = new Map<string, { actor: Actor; changes: number }>();
  let births = 0;
  let generationMoved = false;
  for (const entry of entries) {
    const { count, effect } = entry;
    sums[effect] += count;
    if (entry.source === 'watch') {
      if (!entry.paired) sums.unasked += count;
      if (entry.added) births += count;
      generationMoved ||= entry.generationMoved;
      continue;
    }
    codes[entry.code] = (codes[entry.code] ?? 0) + count;
    if (entry.skewed) sums.skewed += count;
    const known = writers.get(entry.writerKey) ?? { actor: { ...entry.writer, verbs: [], writes: 0 }, changes: 0 };
    writers.set(entry.writerKey, known);
    known.actor.writes += count;
    if (!known.actor.verbs.includes(entry.verb)) known.actor.verbs.push(entry.verb);
    if (entry.paired === 'change') known.changes += count;
    if (isSilent(entry)) sums.silent += count;
  }
  const rejections = summaryOf(rejected);
  const refused = rejections.reduce((sum, { requests }) => sum + requests, 0);
  for (const { code, count, skewed } of rejected) {
    codes[code] = (codes[code] ?? 0) + count;
    if (skewed) sums.skewed += count;
  }
  const counts = {
    writes: audit ? sums.success + sums.error : sums.change + sums.phantom,
    changes: sums.change,
    noops: Math.max(0, sums.silent - sums.unasked),
    phantoms: sums.phantom,
    errors: sums.error + refused,
  };
  const actors = [...writers.values()].sort((a, b) => b.actor.writes - a.actor.writes || compare(identityOf(a.actor), identityOf(b.actor)));
  const first = entries.find((entry) => entry.source === 'watch');
  const uids = births + (first?.source === 'watch' && !first.added ? 1 : 0);
  return {
    ...counts,
    skewed: sums.skewed,
    codes,
    actors: actors.slice(0, MAX_ACTORS).map(({ actor }) => ({ ...actor, verbs: actor.verbs.sort() })),
    ...(rejections.length > 0 && { rejected: rejections.slice(0, MAX_REJECTED) }),
    recent: newest(entries, counts.noops, isSilent, rejected),
    shape: shapeOf({
      ...counts,
      rejected: refused,
      uids,
      generationMoved,
      actors: actors.map(({ actor, changes }) => ({ ...actor, changes })),
    }),
  };
}

/** Whether audit knows who made most of the changes that were seen. */
export function isWitnessed(entries: Entry[]): boolean {
  const changes = entries.filter(({ source }) => source === 'watch');
  return 2 * changes.filter(({ paired }) => paired === 'request').length >= changes.length;
}

function newest(entries: Entry[], noops: number, isSilent: (entry: Entry) => boolean, rejected: RequestEntry[]): Tally['recent'] {
  const recent: { at: number; effect: WriteEffect }[] = [];
  let left = noops;
  const show = (entry: Entry, effect: WriteEffect, count: number) => {
    for (let i = 0; i < count && recent.length < MAX_RECENT; i++) recent.push({ at: entry.at, effect });
  };
  for (let last = entries.length - 1; last >= 0 && recent.length < MAX_RECENT; last -= 1) {
    const entry = entries[last] as Entry;
    if (entry.effect !== 'success') show(entry, entry.effect, entry.count);
    else if (isSilent(entry)) {
      const shown = Math.min(entry.count, left);
      left -= shown;
      show(entry, 'noop', shown);
    }
  }
  // Last: rejected requests must not push out what was written.
  for (const entry of rejected.toSorted((a, b) => b.at - a.at)) show(entry, 'error', entry.count);
  return recent
    .reverse()
    .sort((a, b) => a.at - b.at)
    .map(({ at, effect }) => ({ at: new Date(at).toISOString(), effect }));
}

function summaryOf(rejected: RequestEntry[]): RejectedWriter[] {
  const writers = new Map<string, RejectedWriter>();
  for (const { writer, verb, code, count } of rejected) {
    const { user, userAgent } = writer;
    const one = writers.get(user) ?? { user, userAgent, verbs: [], requests: 0, codes: {} };
    writers.set(user, one);
    one.requests += count;
    one.codes[code] = (one.codes[code] ?? 0) + count;
    if (!one.verbs.includes(verb)) one.verbs.push(verb);
  }
  for (const { verbs } of writers.values()) verbs.sort();
  return [...writers.values()].sort((a, b) => b.requests - a.requests || compare(a.user, b.user));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
