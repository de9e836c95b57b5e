import type { Json } from './canonical.ts';
import { Hint } from './hint.ts';

/**
 * Where a value of the evidence came from. `live`: read from the cluster in this examination. `audit`: a fact says that the audit log
 * says it. `hint`: a fact claims it.
 */
export type Source = 'live' | 'audit' | 'hint';

export interface EvidenceItem<S extends Source = Source> {
  value: Json;
  from: S;
}

/** The named values that decided a verdict. They are shown to people. Leave out what changes without a reason (`resourceVersion`, times). */
export type Evidence = Record<string, EvidenceItem>;

/** The evidence of a fix: at least one value is `live`, and none is a hint. A plan's hash covers the live ones, because only they decide. */
export type FixEvidence = Record<string, EvidenceItem<'live' | 'audit'>>;

/** A value read from the cluster in this examination. */
export const live = (value: Json): EvidenceItem<'live'> => ({ value, from: 'live' });

/** A value that the audit log recorded, as a fact reports it: it may support a fix, and never decides one. */
export const audit = (value: Json | Hint<Json>): EvidenceItem<'audit'> => ({ value: claimOf(value), from: 'audit' });

/** A value that a fact claims: for reports only. */
export const hint = (value: Json | Hint<Json>): EvidenceItem<'hint'> => ({ value: claimOf(value), from: 'hint' });

/** Evidence of which every value was read from the cluster in this examination. */
export const allLive = (values: Record<string, Json>): Record<string, EvidenceItem<'live'>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, live(value)]));

/** The live values alone. */
export const liveValues = (evidence: Evidence): Record<string, Json> =>
  Object.fromEntries(Object.entries(evidence).flatMap(([name, { value, from }]) => (from === 'live' ? [[name, value]] : [])));

/** Throws unless the evidence can carry a fix. The types say the same; this holds for what a cast or plain JavaScript lets through. */
export function assertProves(evidence: Evidence): asserts evidence is FixEvidence {
  const items = Object.entries(evidence);
  const claims = items.flatMap(([name, { from }]) => (from === 'live' || from === 'audit' ? [] : [name]));
  if (claims.length > 0) throw new Error(`A fix cannot rest on a claim: ${claims.join(', ')}`);
  if (!items.some(([, { from }]) => from === 'live')) throw new Error('A fix needs evidence that was read from the cluster');
}

const claimOf = (value: Json | Hint<Json>): Json => (value instanceof Hint ? value.claimed() : value);
