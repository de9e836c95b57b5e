import { milliseconds } from '../../../shared/duration.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { specWrittenAt } from './pipeline.ts';
import type { Revision } from './release-secrets.ts';

/**
 * What an incident remembers of a release: its newest revision, when that was created, how many upgrades in a row its pipeline gave no
 * reason for, and when the Secrets were last listed. Every value was read live; times are in milliseconds.
 */
export type History = { generation: number; version: number; at: number; upgrades: number; listedAt: number };

/** So many upgrades in a row are a storm. Measured: right on every recording. */
export const PROOF = 4;
/** Upgrades further apart are single upgrades, not a storm. */
export const RARE = '6m';
/** Installing writes up to five revisions within 3 s: revisions closer than this are one upgrade. */
const BURST = 4_000;

/**
 * The history with the revisions that exist `now`, oldest first. It starts over when the spec was changed, the pipeline or its release
 * was created again, the version did not rise by one, or the last upgrade is long ago. Undefined: the release has no revision.
 */
export function follow(before: History | undefined, revisions: Revision[], pipeline: KubernetesObject, now: number): History | undefined {
  const newest = revisions.at(-1);
  if (!newest) return undefined;
  const { generation = 0, creationTimestamp = '' } = pipeline.metadata;
  const continues = before?.generation === generation && before.version <= newest.version && !(before.at < Date.parse(creationTimestamp));
  const extend = (history: History, revision: Revision): History => append(history, revision, now);
  if (before && continues) {
    return { ...revisions.filter(({ version }) => version > before.version).reduce(extend, before), listedAt: now };
  }
  // Where the API server does not say when the spec was written, only what is created from now on counts.
  const writtenAt = specWrittenAt(pipeline) ?? newest.at;
  const [first, ...more] = revisions.filter(({ at }) => at >= writtenAt);
  if (!first) return { generation, ...newest, upgrades: 0, listedAt: now };
  return { ...more.reduce(extend, start({ generation, listedAt: 0 }, first)), listedAt: now };
}

/** The first revision in a row. Version 1 is an installation. */
const start = (base: Pick<History, 'generation' | 'listedAt'>, { version, at }: Revision): History => ({
  ...{ generation: base.generation, listedAt: base.listedAt },
  ...{ version, at, upgrades: version === 1 ? 0 : 1 },
});

function append(before: History, { version, at: createdAt }: Revision, now: number): History {
  // What the last list did not hold was created after it. Where the API server's clock disagrees with that, ours counts.
  const at = createdAt > before.listedAt - 1_000 ? createdAt : now;
  const rise = version - before.version;
  // No one asks about every revision while a plan waits: three in a row that rose since are at least four.
  const inARow = rise === 1 || before.upgrades >= PROOF - 1;
  const apart = at - before.at;
  if (!inARow || apart / rise > milliseconds(RARE)) return start(before, { version, at });
  return { ...before, version, at, upgrades: apart < BURST ? Math.max(before.upgrades, 1) : before.upgrades + 1 };
}

/** The history while the release fails: what was made until now counts for nothing. */
export function dropped(revisions: Revision[], { metadata: { generation = 0 } }: KubernetesObject, now: number): History {
  return { generation, ...(revisions.at(-1) ?? { version: 0, at: 0 }), upgrades: 0, listedAt: now };
}
