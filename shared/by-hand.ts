import { appliedDocument } from './applied-document.ts';
import { canonical, type Json } from './canonical.ts';
import type { Cluster } from './cluster.ts';
import { valueAt } from './json-patch.ts';
import type { JsonPatch, Plan, Step } from './plan.ts';
import { changedSince } from './written-values.ts';
import { znodeOf } from './znode-step.ts';

/** Whether the cluster is now as a plan that was never written would have left it: then a person did the same by hand, and agreed. */
export async function doneByHand({ steps }: Plan, cluster: Cluster): Promise<boolean> {
  try {
    for (const step of steps) if (!(await isDone(step, cluster))) return false;
    return true;
  } catch {
    // Not known: then it is not said.
    return false;
  }
}

async function isDone(step: Step, cluster: Cluster): Promise<boolean> {
  if (step.kind === 'delete-znode') return (await cluster.znode(znodeOf(step))) === undefined;
  // Who creates something else by hand gives it another name.
  if (step.kind === 'create-znode' || step.kind === 'create') return false;
  const live = await cluster.get(step.target);
  if (step.kind === 'delete') return live === undefined;
  if (!live || (step.target.uid && live.metadata.uid !== step.target.uid)) return false;
  switch (step.kind) {
    case 'merge-patch':
      return changedSince(live, step.patch).length === 0;
    case 'json-patch':
      return step.operations.every((operation) => isPatched(live, operation));
    case 'apply': {
      const pinned = await cluster.artifact(step.document.artifact);
      const document = await appliedDocument(step, pinned?.text ?? '');
      return document?.spec !== undefined && changedSince(live, { spec: document.spec as Json }).length === 0;
    }
  }
}

function isPatched(live: object, { op, path, value }: JsonPatch['operations'][number]): boolean {
  if (op === 'test') return true;
  const parent = valueAt(live, path.slice(0, path.lastIndexOf('/')));
  if (op === 'remove') return !Array.isArray(parent) && valueAt(live, path) === undefined;
  if (Array.isArray(parent)) return parent.some((item) => canonical(item) === canonical(value));
  return canonical(valueAt(live, path)) === canonical(value);
}
