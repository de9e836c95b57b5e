import { appliedDocument } from './applied-document.ts';
import type { Artifacts } from './artifacts/artifacts.ts';
import type { Json } from './canonical.ts';
import { shown } from './difference.ts';
import type { LockedStep } from './incident.ts';
import { keysOf, valueAt } from './json-patch.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import { patchedRegions } from './patched-regions.ts';
import type { Apply, JsonPatch, MergePatch } from './plan.ts';
import { changedSince } from './written-values.ts';

/**
 * Where an object is not as a patch or an apply leaves it, one sentence each; none: every value that the step writes is there. What the server
 * adds is no difference. Throws when an artifact cannot be read.
 */
export async function notAsWritten(
  step: Apply | JsonPatch | MergePatch,
  { backup }: LockedStep,
  live: KubernetesObject,
  artifacts: Pick<Artifacts, 'get'>,
): Promise<string[]> {
  if (step.kind === 'merge-patch') return changedSince(live, step.patch);
  if (step.kind === 'apply') return changedSince(live, await sentDocument(step, artifacts));
  const before = backup && (JSON.parse(await artifacts.get(backup.artifact, backup.sha256)) as KubernetesObject);
  const patched = before && patchedRegions(step.operations, before);
  if (!patched) return ['there is no backup that says what the patch makes of the object'];
  return patched.regions.flatMap((path) => {
    const [is, written] = [valueAt(live, path), valueAt(patched.after, path) as Json | undefined];
    const at = keysOf(path).join('.');
    if (written !== undefined) return changedSince(is, written, at);
    return is === undefined ? [] : [`${at} was removed, is ${shown(is)}`];
  });
}

/** What an apply sends, for a comparison; throws when the artifact cannot be read. */
export async function sentDocument(step: Apply, artifacts: Pick<Artifacts, 'get'>): Promise<{ [key: string]: Json }> {
  const { artifact, sha256 } = step.document;
  const document = await appliedDocument(step, await artifacts.get(artifact, sha256));
  return (document ?? { metadata: { name: step.target.name } }) as unknown as { [key: string]: Json };
}
