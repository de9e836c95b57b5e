import { appliedDocument } from './applied-document.ts';
import type { Artifacts } from './artifacts/artifacts.ts';
import { ABORT_AFTER_MS, REQUEST_TIMEOUT_S, type SendLimit } from './attempt.ts';
import { executeZnode, rehearseZnode } from './execute-znode.ts';
import type { Blocked } from './guard-write.ts';
import type { Written } from './incident.ts';
import { FIELD_MANAGER, INCIDENT_ANNOTATION } from './kubemend-marks.ts';
import { type KubernetesObject, nameOf, pathOf } from './kubernetes/object.ts';
import { objectIn } from './kubernetes/object-in.ts';
import type { Answer, Request } from './kubernetes/transport.ts';
import type { ObjectStep, Step } from './plan.ts';
import { wasNotSent } from './sender.ts';
import { holds, readTarget, type Traced, trace } from './trace.ts';
import { isZnodeStep } from './znode-step.ts';

/**
 * What the API server answers when it stored nothing: a failed `test` of a JSON Patch is a 422 (measured), a lost resourceVersion or uid a
 * 409. Any other status may come from a proxy that gave up waiting for the API server (408, 502, 504) or sent the request elsewhere (3xx).
 */
const REFUSED = new Set([400, 404, 405, 406, 409, 410, 412, 413, 415, 422]);

/**
 * What came of a write. `conflict`: the lock did not hold, nothing was written. `withheld`: nothing was sent. `unknown`: no answer that says which; the request
 * may have taken effect, and may still.
 */
export type Result =
  | { kind: 'written'; written: Omit<Written, 'index'> }
  | { kind: 'withheld'; because: string; blocked?: Blocked }
  /** `sent`: it was refused by an answer, and not held back before. */
  | { kind: 'conflict'; because: string; sent?: true }
  | { kind: 'forbidden' | 'unknown'; because: string };

/** One step and everything its writing rests on. */
export interface Execution extends Traced {
  artifacts: Artifacts;
  /** Asked immediately before the write: why nothing may be written. */
  guard?: () => Promise<Blocked | undefined>;
  /** Asked directly before the first byte leaves this process: why it is too late to send. */
  sendLimit?: SendLimit;
}

interface ObjectExecution extends Execution {
  step: ObjectStep;
}

const concerns = <S extends Step>(execution: Execution, is: (step: Step) => step is S): execution is Execution & { step: S } =>
  is(execution.step);

/** Sends one step under its lock: the only function of kubemend that changes a cluster. Whoever may have sent it before asks `trace` instead. */
export const execute = (execution: Execution): Promise<Result> =>
  concerns(execution, isZnodeStep) ? executeZnode(execution) : executeObject(execution as ObjectExecution);

/** Asks whether the step would be taken, with its lock; nothing is stored. */
export const rehearse = (execution: Execution): Promise<Result> =>
  concerns(execution, isZnodeStep) ? rehearseZnode(execution) : send(execution as ObjectExecution, true);

/** Why a step must not be sent now; undefined: it may. */
export async function holdBack({ guard, sendLimit }: Execution): Promise<Extract<Result, { kind: 'withheld' }> | undefined> {
  const blocked = await guard?.();
  if (blocked) return { kind: 'withheld', because: blocked.reason, blocked };
  const late = sendLimit?.();
  return late === undefined ? undefined : { kind: 'withheld', because: late };
}

async function executeObject(execution: ObjectExecution): Promise<Result> {
  const { step, lock, sender } = execution;
  const live = await readTarget(sender, step);
  if (live instanceof Error)
    return { kind: 'withheld', because: `${nameOf(step.target)} could not be read before writing: ${live.message}` };
  if (step.kind !== 'create' && !holds(live, step, lock))
    return { kind: 'conflict', because: `${nameOf(step.target)} changed after it was read` };
  const held = await holdBack(execution);
  if (held) return held;
  const result = await send(execution, false);
  if (result.kind === 'written' || result.kind === 'withheld') return result;
  // An error does not prove that nothing was stored: a proxy may have sent the request twice, also without a right to the second. The object shows it.
  const found = await trace(execution);
  if (found.kind === 'written') return found;
  const { because } = result;
  return found.kind === 'unreadable' || (found.kind === 'overtaken' && found.marked) ? { kind: 'unknown', because } : result;
}

async function send(execution: ObjectExecution, dryRun: boolean): Promise<Result> {
  const { step, sender, now, sendLimit } = execution;
  const request = await requestOf(execution, dryRun);
  let answer: Answer;
  try {
    answer = await sender.send({ ...request, signal: AbortSignal.timeout(ABORT_AFTER_MS), ...(sendLimit && !dryRun && { sendLimit }) });
  } catch (error) {
    const because = `${nameOf(step.target)}: ${(error as Error).message}`;
    return { kind: wasNotSent(error) ? 'withheld' : 'unknown', because };
  }
  const { status } = answer;
  const body = answer.body ?? {};
  const { message = String(body) } = body as { message?: string };
  if (status < 300) {
    const object = objectIn(body, step.target);
    const deleted = step.kind === 'delete' && (body as { status?: unknown }).status === 'Success';
    if (!object && !deleted) return { kind: 'unknown', because: `${nameOf(step.target)} answered ${status} without the object` };
    return { kind: 'written', written: { at: now, how: 'wrote', resourceVersion: object?.metadata.resourceVersion } };
  }
  const because = `${nameOf(step.target)} answered ${status}: ${message}`;
  // Only the API server answers with a Status; the same number from a proxy says nothing about what became of the request.
  if (!isStatus(body)) return { kind: 'unknown', because };
  if (status === 403 || status === 401) return { kind: 'forbidden', because };
  return REFUSED.has(status) ? { kind: 'conflict', because, sent: true } : { kind: 'unknown', because };
}

const isStatus = (body: unknown): boolean => (body as { kind?: unknown }).kind === 'Status';

async function requestOf({ step, lock, incident, artifacts }: ObjectExecution, dryRun: boolean): Promise<Request> {
  const { target } = step;
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, timeout: `${REQUEST_TIMEOUT_S}s`, ...(dryRun && { dryRun: 'All' }) });
  const locked = { ...(target.uid && { uid: target.uid }), ...(lock.resourceVersion && { resourceVersion: lock.resourceVersion }) };
  const path = `${pathOf(target, step.kind === 'create' ? undefined : target.name)}`;
  switch (step.kind) {
    case 'apply': {
      query.set('force', 'true');
      const document = await documentOf(step, artifacts);
      const body = { ...document, metadata: { ...document.metadata, ...locked } };
      return { method: 'PATCH', path: `${path}?${query}`, body, contentType: 'application/apply-patch+yaml' };
    }
    case 'merge-patch': {
      const body = { ...step.patch, metadata: { ...(step.patch.metadata as object), ...locked } };
      return { method: 'PATCH', path: `${path}?${query}`, body, contentType: 'application/merge-patch+json' };
    }
    case 'json-patch': {
      const tests = Object.entries(locked).map(([field, value]) => ({ op: 'test', path: `/metadata/${field}`, value }));
      return {
        method: 'PATCH',
        path: `${path}?${query}`,
        body: [...tests, ...step.operations],
        contentType: 'application/json-patch+json',
      };
    }
    case 'create': {
      const annotations = { ...step.object.metadata.annotations, [INCIDENT_ANNOTATION]: incident };
      return { method: 'POST', path: `${path}?${query}`, body: { ...step.object, metadata: { ...step.object.metadata, annotations } } };
    }
    case 'delete': {
      const options = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: locked, ...(dryRun && { dryRun: ['All'] }) };
      // Also in the path: a proxy that drops the body of a DELETE must not turn a dry run into a deletion.
      return { method: 'DELETE', path: `${path}?timeout=${REQUEST_TIMEOUT_S}s${dryRun ? '&dryRun=All' : ''}`, body: options };
    }
  }
}

/** What an apply sends. Throws when the artifact holds no document of the target's name. */
export async function documentOf(step: Extract<Step, { kind: 'apply' }>, artifacts: Artifacts): Promise<KubernetesObject> {
  const { artifact, sha256 } = step.document;
  const found = await appliedDocument(step, await artifacts.get(artifact, sha256));
  if (!found) throw new Error(`Artifact ${artifact} has no document named ${step.target.name}`);
  return found;
}
