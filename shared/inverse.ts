import { type Artifacts, incidentBackupPrefix } from './artifacts/artifacts.ts';
import { canonical, type Json } from './canonical.ts';
import type { Cluster } from './cluster.ts';
import { shown } from './difference.ts';
import { live } from './evidence.ts';
import { type Done, doneOf, type Incident, type LockedStep } from './incident.ts';
import { keysOf, valueAt } from './json-patch.ts';
import { INCIDENT_ANNOTATION } from './kubemend-marks.ts';
import { type KubernetesObject, nameOf, pathOf } from './kubernetes/object.ts';
import { whoWouldRevert } from './kubernetes/ownership.ts';
import { sentDocument } from './not-as-written.ts';
import { patchedRegions } from './patched-regions.ts';
import {
  apply,
  type JsonPatch,
  jsonPatch,
  type MergePatch,
  makePlan,
  mergePatch,
  type ObjectStep,
  type Operation,
  type Plan,
  type Step,
} from './plan.ts';
import type { Remediation } from './remediation.ts';
import { changedSince } from './written-values.ts';
import { inverseOf, isZnodeStep } from './znode-step.ts';

/** A step that undoes another, or why there is none. */
type Inverse = { step: Step } | { because: string };

/** The way back from everything an incident wrote, newest first: only while the live fields equal what was written. Else the differences, and nothing is done at all. */
export async function inversePlan(
  incident: Incident,
  { limits }: Remediation,
  cluster: Cluster,
  artifacts: Artifacts,
  now: number,
): Promise<Plan | { because: string }> {
  const written = notUndoneYet(incident);
  if (written.length === 0) return { because: 'everything that this incident wrote is already written back' };
  const own = incidentBackupPrefix(incident);
  const foreign = written.find(({ lock }) => lock?.backup && !lock.backup.artifact.startsWith(own))?.lock?.backup;
  if (foreign)
    return { because: `${foreign.artifact} is not a backup of this incident: its record was changed, so nothing is written back` };
  const inverses: Inverse[] = [];
  for (const { step, lock } of written.toReversed()) {
    const inverse = await inverseStep(step, lock, incident.id, cluster, artifacts);
    inverses.push('because' in inverse ? { because: `${step.kind} on ${nameOf(step.target)}: ${inverse.because}` } : inverse);
  }
  const against = inverses.flatMap((inverse) => ('because' in inverse ? [inverse.because] : []));
  if (against.length > 0) return { because: against.join('; ') };
  const steps = inverses.flatMap((inverse) => ('step' in inverse ? [inverse.step] : []));
  // Every field that these plans wrote was read above, and still holds what they wrote.
  const evidence = { undoes: live(doneOf(incident).map(({ plan }) => plan.hash)) };
  return makePlan(
    { kind: 'fix', because: `undo what incident ${incident.id} wrote`, evidence, steps },
    incident.key,
    now,
    limits.expireAfter,
  );
}

/** Every write of an incident that no earlier undo has written back, oldest first. An undo that stopped between two steps took the newest writes. */
function notUndoneYet(incident: Incident) {
  const { undo, undone = [] } = incident;
  const earlier = undo?.plan && undo.execution ? [...undone, { plan: undo.plan, execution: undo.execution }] : undone;
  // A write that was found late is recorded in two copies of its execution.
  const back = new Map(earlier.flatMap((one) => writesOf(one).map((write) => [write.id, write.on] as const)));
  const undoneOn = new Map<string, number>();
  for (const on of back.values()) undoneOn.set(on, (undoneOn.get(on) ?? 0) + 1);
  const newestFirst = doneOf(incident).flatMap(writesOf).reverse();
  return newestFirst
    .filter(({ on }) => {
      const left = undoneOn.get(on) ?? 0;
      undoneOn.set(on, left - 1);
      return left <= 0;
    })
    .reverse();
}

/** The writes of one execution: which, and on what. */
function writesOf({ plan, execution }: Done) {
  return execution.written.map(({ index }) => {
    const step = plan.steps[index] as Step;
    const on = `${pathOf(step.target, step.target.name)}${isZnodeStep(step) ? ` ${step.path}` : ''}`;
    const id = `${plan.hash} ${execution.preparedAt} ${index}`;
    return { step, on, id, lock: execution.steps.find((one) => one.index === index) };
  });
}

async function inverseStep(
  step: Step,
  lock: LockedStep | undefined,
  incident: string,
  cluster: Cluster,
  artifacts: Artifacts,
): Promise<Inverse> {
  const { backup } = lock ?? {};
  const before = backup && (await artifacts.get(backup.artifact, backup.sha256));
  if (step.kind === 'create-znode') return { because: 'it has no inverse' };
  if (isZnodeStep(step)) return before === undefined ? NO_BACKUP : { step: inverseOf(step, before) };
  const live = await cluster.get(step.target);
  if (step.kind === 'delete') return live ? { because: 'an object of that name is there again' } : recreate(step, before);
  if (!live) return { because: 'it is gone' };
  if (step.target.uid && live.metadata.uid !== step.target.uid) return { because: 'it was deleted and created again' };
  const owner = whoWouldRevert(live);
  if (owner) return { because: `it belongs to ${owner} now` };
  if (step.kind === 'create') return uncreate(step, live, incident);
  if (before === undefined || !backup) return NO_BACKUP;
  const kept = JSON.parse(before) as KubernetesObject;
  if (step.kind === 'json-patch') return unpatch(step, kept, live);
  const wrote = step.kind === 'apply' ? await sentDocument(step, artifacts) : step.patch;
  const changed = changedSince(live, wrote);
  if (changed.length > 0) return { because: changed.slice(0, 5).join(', ') };
  const reason = `undo: ${step.reason}`;
  return {
    step:
      step.kind === 'apply' ? apply(step.target, backup, reason, step.only) : mergePatch(step.target, restored(kept, step.patch), reason),
  };
}

const NO_BACKUP: Inverse = { because: 'what was there before is not kept, so it has no inverse' };

/** The merge patch that writes back what another replaced; null where nothing was. */
const restored = (before: unknown, patch: MergePatch['patch']): MergePatch['patch'] =>
  Object.fromEntries(
    Object.entries(patch).map(([key, value]) => {
      const kept = isPlain(before) ? before[key] : undefined;
      return [key, isPlain(value) && isPlain(kept) ? restored(kept, value) : (kept ?? null)];
    }),
  );

/** Each changed member (of an array: the whole array) is put back, under a test that it is still what was written. */
function unpatch({ target, operations, reason }: JsonPatch, before: KubernetesObject, live: KubernetesObject): Inverse {
  const patched = patchedRegions(operations, before);
  if (!patched) return { because: 'what was there before does not fit the patch' };
  const { after, regions } = patched;
  const moved = regions.filter((path) => canonical(valueAt(live, path)) !== canonical(valueAt(after, path)));
  if (moved.length > 0) {
    return {
      because: moved
        .map((path) => `${keysOf(path).join('.')} was written as ${shown(valueAt(after, path))}, is ${shown(valueAt(live, path))}`)
        .join(', '),
    };
  }
  const back = regions.toReversed().flatMap((path): Operation[] => {
    const [old, now] = [before, after].map((object) => valueAt(object, path) as Json | undefined);
    const test: Operation[] = now === undefined ? [] : [{ op: 'test', path, value: now }];
    if (old === undefined) return now === undefined ? [] : [...test, { op: 'remove', path }];
    return [...test, { op: now === undefined ? 'add' : 'replace', path, value: old }];
  });
  return { step: jsonPatch(target, back, `undo: ${reason}`) };
}

function uncreate(step: Extract<ObjectStep, { kind: 'create' }>, live: KubernetesObject, incident: string): Inverse {
  if (live.metadata.annotations?.[INCIDENT_ANNOTATION] !== incident)
    return { because: 'the object of that name is not the one that was created' };
  if (live.status !== undefined)
    return { because: 'a controller has taken it up: deleting it would not undo what was begun, so it has no inverse' };
  const changed = changedSince(live, { spec: (step.object.spec ?? {}) as Json });
  if (changed.length > 0) return { because: changed.join(', ') };
  const target = { ...step.target, ...(live.metadata.uid && { uid: live.metadata.uid }) };
  return { step: { kind: 'delete', target, reason: `undo: ${step.reason}` } };
}

function recreate({ target, reason }: Extract<ObjectStep, { kind: 'delete' }>, before: string | undefined): Inverse {
  if (before === undefined) return NO_BACKUP;
  const { status: _, ...object } = JSON.parse(before) as KubernetesObject;
  const { name, namespace, labels, annotations, ownerReferences, finalizers } = object.metadata;
  const metadata = {
    name,
    ...(namespace && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(ownerReferences && { ownerReferences }),
    ...(finalizers ? { finalizers } : {}),
  };
  const { uid: __, ...anew } = target;
  return { step: { kind: 'create', target: anew, object: { ...object, metadata }, reason: `undo: ${reason}` } };
}

const isPlain = (value: unknown): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value);
