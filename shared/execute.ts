import type { Artifacts } from './artifacts/artifacts.ts';
import { executeZnode, rehearseZnode } from './execute-znode.ts';
import type { LockedStep, Written } from './incident.ts';
import { type KubernetesObject, nameOf, pathOf } from './kubernetes/object.ts';
import type { Answer, Request } from './kubernetes/transport.ts';
import { documentsOf } from './kubernetes/yaml.ts';
import type { ObjectStep, Step } from './plan.ts';
import { isZnodeStep } from './znode-step.ts';
import type { Dialer } from './zookeeper/reach.ts';

/** The name of our writes in `managedFields` and in the audit log. */
export const FIELD_MANAGER = 'kubemend';
/** Marks what a `create` step made, so that a re-run recognises it. */
export const INCIDENT_ANNOTATION = 'kubemend.dev/incident';

/** Sends any request: what this module alone is given. */
export interface Sender extends Dialer {
  send(request: Request): Promise<Answer>;
}

/**
 * What came of a write. `conflict`: the lock did not hold, nothing was written. `withheld`: nothing was asked, now or before.
 * `later`: nothing was asked now, but perhaps by a process that died, and what came of that can be seen later. `unknown`: no answer that says which.
 */
export type Result =
  | { kind: 'written'; written: Omit<Written, 'index'> }
  | { kind: 'conflict' | 'withheld' | 'later' | 'forbidden' | 'unknown'; because: string };

/** Whether a sender threw before anything left this process; it says so itself (`sent: false`). Whatever else it throws may have arrived. */
export const wasNotSent = (error: unknown): error is Error => (error as { sent?: unknown } | undefined)?.sent === false;

/** One step and everything its writing rests on. */
export interface Execution {
  step: Step;
  lock: LockedStep;
  incident: string;
  now: number;
  sender: Sender;
  artifacts: Artifacts;
  /** The request may have been sent before, by a process that died. */
  repeated?: boolean;
  /** Why nothing may be written any more; a write that is already there is still found. */
  withheld?: string | undefined;
}

interface ObjectExecution extends Execution {
  step: ObjectStep;
}

const concerns = <S extends Step>(execution: Execution, is: (step: Step) => step is S): execution is Execution & { step: S } =>
  is(execution.step);

/**
 * Writes one step under its lock, at most once: the only function of kubemend that changes a cluster.
 * A write that is already there (the process died before it could record it) is found, not repeated.
 */
export const execute = (execution: Execution): Promise<Result> =>
  concerns(execution, isZnodeStep) ? executeZnode(execution) : executeObject(execution as ObjectExecution);

/** Asks whether the step would be taken, with its lock; nothing is stored. */
export const rehearse = (execution: Execution): Promise<Result> =>
  concerns(execution, isZnodeStep) ? rehearseZnode(execution) : send(execution as ObjectExecution, true);

async function executeObject(execution: ObjectExecution): Promise<Result> {
  const { step, lock, sender, now, repeated, withheld } = execution;
  const live = await read(sender, step);
  if (live instanceof Error) {
    const because = `${nameOf(step.target)} could not be read before writing: ${live.message}`;
    // Never asked, so never written. What a process that died may have asked for stays unknown, unless it is only too late to look.
    return { kind: repeated ? (wasNotSent(live) ? 'later' : 'unknown') : 'withheld', because };
  }
  if (isOurs(live, execution))
    return { kind: 'written', written: { at: now, how: 'found', resourceVersion: live?.metadata.resourceVersion } };
  if (step.kind !== 'create' && live?.metadata.resourceVersion !== lock.resourceVersion) {
    const because = `${nameOf(step.target)} changed after it was read`;
    // Our write may have been there and be overwritten since: writing again would be a second time.
    return repeated ? { kind: 'unknown', because: `${because}, and the process died while it wrote` } : { kind: 'conflict', because };
  }
  if (withheld) return { kind: 'withheld', because: withheld };
  const result = await send(execution, false);
  if (result.kind !== 'unknown') return result;
  const after = await read(sender, step);
  if (!(after instanceof Error) && isOurs(after, execution)) {
    return { kind: 'written', written: { at: now, how: 'found', resourceVersion: after?.metadata.resourceVersion } };
  }
  return result;
}

async function send(execution: ObjectExecution, dryRun: boolean): Promise<Result> {
  const { step, sender, now, repeated } = execution;
  const request = await requestOf(execution, dryRun);
  let answer: Answer;
  try {
    answer = await sender.send(request);
  } catch (error) {
    const because = `${nameOf(step.target)}: ${(error as Error).message}`;
    if (!wasNotSent(error)) return { kind: 'unknown', because };
    return { kind: repeated ? 'later' : 'withheld', because };
  }
  const { status } = answer;
  const body = answer.body ?? {};
  const { message = String(body) } = body as { message?: string };
  if (status < 300) {
    const resourceVersion = (body as Partial<KubernetesObject>).metadata?.resourceVersion;
    return { kind: 'written', written: { at: now, how: 'wrote', resourceVersion } };
  }
  const because = `${nameOf(step.target)} answered ${status}: ${message}`;
  if (status === 403 || status === 401) return { kind: 'forbidden', because };
  // A failed `test` of a JSON Patch is a 422 (measured), a lost resourceVersion or uid a 409; every other 4xx stored nothing either.
  return { kind: status >= 500 || status === 429 ? 'unknown' : 'conflict', because };
}

async function requestOf({ step, lock, incident, artifacts }: ObjectExecution, dryRun: boolean): Promise<Request> {
  const { target } = step;
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, ...(dryRun && { dryRun: 'All' }) });
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
      return { method: 'DELETE', path, body: options };
    }
  }
}

/** The document of an artifact that is named like the target, without what only the server may set. */
async function documentOf(step: Extract<Step, { kind: 'apply' }>, artifacts: Artifacts): Promise<KubernetesObject> {
  const { artifact, sha256 } = step.document;
  const documents = await documentsOf(await artifacts.get(artifact, sha256));
  const found = documents.find(({ metadata }) => metadata.name === step.target.name);
  if (!found) throw new Error(`Artifact ${artifact} has no document named ${step.target.name}`);
  const { status: _, ...document } = found;
  return document as KubernetesObject;
}

async function read(sender: Sender, { target }: Step): Promise<KubernetesObject | undefined | Error> {
  try {
    const { status, body } = await sender.send({ method: 'GET', path: pathOf(target, target.name) });
    if (status === 200) return body as KubernetesObject;
    return status === 404 ? undefined : new Error(`${status}: ${(body as { message?: string } | undefined)?.message ?? 'no message'}`);
  } catch (error) {
    return error as Error;
  }
}

/** Whether this very step was written by us after it was locked. No clock is compared: our entry in managedFields moved since. */
function isOurs(live: KubernetesObject | undefined, { step, lock, incident }: ObjectExecution): boolean {
  if (step.kind === 'delete') return live === undefined || (step.target.uid !== undefined && live.metadata.uid !== step.target.uid);
  if (live === undefined) return false;
  if (step.kind === 'create') return live.metadata.annotations?.[INCIDENT_ANNOTATION] === incident;
  if (live.metadata.resourceVersion === lock.resourceVersion || (step.target.uid && live.metadata.uid !== step.target.uid)) return false;
  const stamp = ownStamp(live, step);
  return stamp !== undefined && stamp !== lock.stamp;
}

/** When the API server last noted a write of ours of this kind on the object; undefined when it never did. */
export function ownStamp({ metadata }: KubernetesObject, step: Step): string | undefined {
  const operation = step.kind === 'apply' ? 'Apply' : 'Update';
  const own = metadata.managedFields?.find(
    (field) => field.manager === FIELD_MANAGER && field.operation === operation && !field.subresource,
  );
  return own?.time;
}
