import type { Artifacts } from './artifacts/artifacts.ts';
import { traceZnode } from './execute-znode.ts';
import type { LockedStep, Written } from './incident.ts';
import { FIELD_MANAGER, INCIDENT_ANNOTATION } from './kubemend-marks.ts';
import { type KubernetesObject, nameOf, pathOf } from './kubernetes/object.ts';
import { objectIn } from './kubernetes/object-in.ts';
import { notAsWritten } from './not-as-written.ts';
import type { ObjectStep, Step } from './plan.ts';
import { type Sender, wasNotSent } from './sender.ts';
import { isZnodeStep } from './znode-step.ts';

/**
 * What the cluster shows of a request without an answer. `unwritten`: the lock still holds, so it did not take effect, and still may until it has timed out.
 * `overtaken`: the lock does not hold any more, so it never will; whether it did and was overwritten is not known. `marked`: a write in our name was stored since,
 * and not every value of this step is there: it was overwritten, or it is of another kubemend.
 */
export type Trace =
  | { kind: 'written'; written: Omit<Written, 'index'> }
  | { kind: 'unwritten' }
  | { kind: 'overtaken'; reason: string; marked?: true }
  /** `sent`: false when not even the question left this process. */
  | { kind: 'unreadable'; reason: string; sent: boolean };

/** A step that may have been sent, and its lock. */
export interface Traced {
  step: Step;
  lock: LockedStep;
  incident: string;
  /** Milliseconds. */
  now: number;
  sender: Sender;
  artifacts: Pick<Artifacts, 'get'>;
}

/** Looks for our write. It only reads. */
export async function trace(traced: Traced): Promise<Trace> {
  const { lock, now, sender } = traced;
  if (isZnodeStep(traced.step)) return traceZnode({ ...traced, step: traced.step });
  const step: ObjectStep = traced.step;
  const live = await readTarget(sender, step);
  if (live instanceof Error) {
    return { kind: 'unreadable', reason: `${nameOf(step.target)} could not be read: ${live.message}`, sent: !wasNotSent(live) };
  }
  const resourceVersion = live?.metadata.resourceVersion;
  const marked = isMarked(live, step, lock, traced.incident);
  if (marked) {
    const missing = await missingValues(step, lock, live, traced.artifacts);
    if (missing instanceof Error) return { kind: 'unreadable', reason: missing.message, sent: true };
    if (missing.length === 0) return { kind: 'written', written: { at: now, how: 'found', resourceVersion } };
    return { kind: 'overtaken', reason: `${nameOf(step.target)} changed since it was read: ${missing.slice(0, 5).join(', ')}`, marked };
  }
  if (holds(live, step, lock)) return { kind: 'unwritten' };
  return { kind: 'overtaken', reason: `${nameOf(step.target)} ${live ? 'changed' : 'was deleted'} since it was read` };
}

/** Whether the lock of a step still holds on the object. */
export const holds = (live: KubernetesObject | undefined, step: Step, lock: LockedStep): boolean =>
  step.kind === 'create' ? live === undefined : live !== undefined && live.metadata.resourceVersion === lock.resourceVersion;

/** The target as the API server has it now; undefined only when it says that there is none. */
export async function readTarget(sender: Sender, { target }: Step): Promise<KubernetesObject | undefined | Error> {
  try {
    const { status, body } = await sender.send({ method: 'GET', path: pathOf(target, target.name) });
    if (status === 200) return objectIn(body, target) ?? new Error('the API server answered 200 without the object');
    const { message = 'no message', details } = (body ?? {}) as { message?: string; details?: { name?: string } };
    // Only an answer that names the object says that it does not exist; a proxy or an unknown kind answers 404 too.
    return status === 404 && details?.name === target.name ? undefined : new Error(`${status}: ${message}`);
  } catch (error) {
    return error as Error;
  }
}

/** Values of the step that are not on the object: a mark in managedFields is only a name, and another writer may use it. */
async function missingValues(
  step: ObjectStep,
  lock: LockedStep,
  live: KubernetesObject | undefined,
  artifacts: Traced['artifacts'],
): Promise<string[] | Error> {
  if (!live || step.kind === 'create' || step.kind === 'delete') return [];
  return notAsWritten(step, lock, live, artifacts).catch((error: Error) => error);
}

/** Whether the object bears our mark of a step since it was locked. No clock is compared: our entry in managedFields moved since. */
function isMarked(live: KubernetesObject | undefined, step: ObjectStep, lock: LockedStep, incident: string): boolean {
  const { uid } = step.target;
  if (step.kind === 'delete') return live === undefined || (uid !== undefined && live.metadata.uid !== uid) || isBeingDeleted(live, lock);
  if (live === undefined) return false;
  if (step.kind === 'create') return live.metadata.annotations?.[INCIDENT_ANNOTATION] === incident;
  if (live.metadata.resourceVersion === lock.resourceVersion || (uid && live.metadata.uid !== uid)) return false;
  const stamp = ownStamp(live, step);
  return stamp !== undefined && stamp !== lock.stamp;
}

/** A finalizer keeps the object; the deletion was taken. */
const isBeingDeleted = ({ metadata }: KubernetesObject, lock: LockedStep): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.resourceVersion !== lock.resourceVersion;

/** When the API server last noted a write of ours of this kind on the object; undefined when it never did. */
export function ownStamp({ metadata }: KubernetesObject, step: Step): string | undefined {
  const operation = step.kind === 'apply' ? 'Apply' : 'Update';
  const own = metadata.managedFields?.find(
    (field) => field.manager === FIELD_MANAGER && field.operation === operation && !field.subresource,
  );
  return own?.time;
}
