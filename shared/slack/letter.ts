import type { IncidentChanged } from '../../events/incident-changed.ts';
import type { Member } from './summary.ts';

/** Where a message stands. */
export interface Posted {
  channel: string;
  ts: string;
}

interface Common {
  key: string;
  /** The condition of every write: rises by one with each. 0 is not stored yet. */
  version: number;
  /** Since when there is something to tell, milliseconds; undefined: all is told. Letters are told in this order. */
  pendingSince: number | undefined;
  message?: Posted | undefined;
  /** Refusals in a row: after a few, what cannot be told is left. */
  refusals: number;
  /** How often its message was deleted in Slack and posted anew. */
  lost: number;
}

/** What is known of an incident's message, and what is still to be told. */
export interface IncidentLetter extends Common {
  kind: 'incident';
  /** The newest change that is known. */
  change: IncidentChanged;
  /** Id of the change that the message shows. */
  told?: string | undefined;
  /** Where its message belongs: `own`, or the key of the storm it is a line of. Decided once. */
  place?: string | undefined;
  /** Keys of what is in the thread. */
  details: string[];
}

/** The summary of a storm. */
export interface StormLetter extends Common {
  kind: 'storm';
  title: string;
  remediation: string;
  cluster: string;
  since: string;
  members: (Member & { change: string })[];
}

/** When messages of a remediation in a cluster were opened: it decides what is a storm. */
export interface BurstLetter extends Common {
  kind: 'burst';
  opened: number[];
  /** The newest storm and when somebody joined it last. */
  storm?: { key: string; joinedAt: number } | undefined;
}

export type Letter = IncidentLetter | StormLetter | BurstLetter;

/** Letters that survive a restart. It throws where it cannot answer: then nothing is sent, and it is told later. */
export interface Letters {
  load(key: string): Promise<Letter | undefined>;
  /** Stores `letter` if the stored version is `letter.version - 1` (0: none); false when somebody was faster. */
  save(letter: Letter): Promise<boolean>;
  /** With something to tell, oldest first. */
  pending(limit: number): Promise<Letter[]>;
}

/** `12.1` of `<incident>/12.1`: which revision asked for it, and the how-manieth. */
export function orderOf(change: Pick<IncidentChanged, 'id'>): [number, number] {
  const [revision = '0', n = '0'] = (change.id.split('/').at(-1) ?? '').split('.');
  return [Number(revision) || 0, Number(n) || 0];
}

/** Whether `a` came after `b` in the life of one incident, in whichever order they arrive. */
export function isNewer(a: Pick<IncidentChanged, 'id'>, b: Pick<IncidentChanged, 'id'>): boolean {
  const [[revision, n], [revisionB, nB]] = [orderOf(a), orderOf(b)];
  return revision !== revisionB ? revision > revisionB : n > nB;
}
