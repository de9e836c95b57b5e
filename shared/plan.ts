import { hashOf, type Json } from './canonical.ts';
import { isInFuture } from './clock-step.ts';
import { type Duration, milliseconds } from './duration.ts';
import { assertProves, type FixEvidence, liveValues } from './evidence.ts';
import { type KubernetesObject, pathOf, type Reference } from './kubernetes/object.ts';
import type { Fix } from './verdict.ts';
import { isZnodeStep, type ZnodeStep } from './znode-step.ts';

/** Where a step writes. `uid` makes a re-created object of the same name a different target. */
export interface Target extends Reference {
  uid?: string | undefined;
}

/** One write: a closed union, executed in one module (`execute.ts`). */
export type Step = ObjectStep | ZnodeStep;
export type ObjectStep = JsonPatch | MergePatch | Apply | Create | Delete;

interface Common {
  target: Target;
  /** Why this write, for people. */
  reason: string;
}
export interface JsonPatch extends Common {
  kind: 'json-patch';
  /** RFC 6902; carries its own `test` operations. */
  operations: Operation[];
}
export interface MergePatch extends Common {
  kind: 'merge-patch';
  patch: { [key: string]: Json };
}
/** Server-side apply of one document out of a pinned artifact: large documents travel by hash. */
export interface Apply extends Common {
  kind: 'apply';
  document: { artifact: string; sha256: string };
  /** JSON pointers of the fields that are sent of it; absent: all. */
  only?: string[];
}
export interface Create extends Common {
  kind: 'create';
  object: KubernetesObject;
}
export interface Delete extends Common {
  kind: 'delete';
}
export interface Operation {
  op: 'test' | 'add' | 'replace' | 'remove';
  path: string;
  value?: Json;
}

/** What would be done and why, as data. */
export interface Plan {
  /** Over the steps, their targets and the live evidence; not over `resourceVersion`, and not over what a fact says. */
  hash: string;
  because: string;
  evidence: FixEvidence;
  steps: Step[];
  /** `always`: a person agrees first, also in `auto`. */
  approval?: 'always';
  /** For people: what stood in the fields of each step when it was planned, by JSON pointer. No part of the hash. */
  before?: Record<string, Json>[];
  /** For people: of each step that applies a document, the paths that it removes (`-`), adds (`+`) and changes (`~`). No part of the hash. */
  changes?: string[][];
  /** Known after-effects, where the remediation's limit does not fit. */
  settleWithin?: Duration;
  madeAt: number;
  expiresAt: number;
}

/** Whether a plan may no longer be carried out; one that was made in the future was made by a clock that ran ahead. */
export const isExpired = ({ madeAt, expiresAt }: Plan, now: number): boolean => now >= expiresAt || isInFuture(madeAt, now);

/** Turns a `fix` verdict into a plan with its hash and expiry. Times in milliseconds since the epoch. Throws on a fix that no live value proves. */
export function makePlan(fix: Fix, subject: string, now: number, expireAfter: Duration): Plan {
  const { because, evidence, steps, approval, settleWithin } = fix;
  if (steps.length === 0) throw new Error('A fix without a step is a report');
  assertProves(evidence);
  // A write is recognised as ours by its object: two on one object could not be told apart after a crash.
  const targets = new Set(steps.map((step) => `${pathOf(step.target, step.target.name)}${isZnodeStep(step) ? step.path : ''}`));
  if (targets.size < steps.length) throw new Error('Two steps change the same object: make them one');
  const hash = hashOf({ subject, evidence: liveValues(evidence), steps, approval });
  const expiresAt = now + milliseconds(expireAfter);
  return { hash, because, evidence, steps, ...(approval && { approval }), ...(settleWithin && { settleWithin }), madeAt: now, expiresAt };
}

/** The target of an object that was read, pinned to its uid. */
export const targetOf = (reference: Reference, object: KubernetesObject): Target => ({
  group: reference.group,
  version: reference.version,
  resource: reference.resource,
  ...(reference.namespace && { namespace: reference.namespace }),
  name: reference.name,
  ...(object.metadata.uid && { uid: object.metadata.uid }),
});

/** Server-side apply of the document named like the target, out of a pinned artifact; `only` these fields of it. */
export const apply = (target: Target, document: Apply['document'], reason: string, only?: string[]): Apply => ({
  kind: 'apply',
  target,
  document,
  reason,
  ...(only && { only }),
});

/** An RFC 6902 patch; `operations` should test what they rely on. */
export const jsonPatch = (target: Target, operations: Operation[], reason: string): JsonPatch => ({
  kind: 'json-patch',
  target,
  operations,
  reason,
});

/** An RFC 7386 patch. */
export const mergePatch = (target: Target, patch: MergePatch['patch'], reason: string): MergePatch => ({
  kind: 'merge-patch',
  target,
  patch,
  reason,
});
