import { type Artifacts, incidentBackupPrefix } from './artifacts/artifacts.ts';
import type { Json } from './canonical.ts';
import type { Cluster } from './cluster.ts';
import type { Incident } from './incident.ts';
import { isSecret } from './kubernetes/metadata-only.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import type { ObjectStep, Plan, Step } from './plan.ts';
import { type DeleteZnode, kept, znodeOf } from './znode-step.ts';

/** Keeps what a step will change, for `undo`. Secrets are never kept, and of a merge patch's target only what it changes: a spec may hold credentials. */
export async function backUp(artifacts: Artifacts, incident: Incident, plan: Plan, step: ObjectStep, live: KubernetesObject | undefined) {
  if (!live || isSecret(step.target)) return undefined;
  const { managedFields: _, ...metadata } = live.metadata;
  const before = step.kind === 'merge-patch' ? touched(live, step.patch) : { ...live, metadata };
  return save(artifacts, incident, plan, step, before);
}

/** Keeps the node that a step will delete, and the nodes beside it that tell in which state it was. Throws Doubt when they cannot be read. */
export async function backUpZnode(artifacts: Artifacts, incident: Incident, plan: Plan, step: DeleteZnode, cluster: Cluster) {
  const nodes = [];
  for (const path of [step.path, ...step.keep]) {
    const znode = await cluster.znode({ ...znodeOf(step), path });
    if (znode) nodes.push(kept(path, znode));
  }
  return save(artifacts, incident, plan, step, nodes);
}

async function save(artifacts: Artifacts, incident: Incident, plan: Plan, step: Step, content: unknown) {
  const artifact = `${incidentBackupPrefix(incident)}${plan.hash.slice(0, 8)}-${plan.steps.indexOf(step)}`;
  return { artifact, ...(await artifacts.put(artifact, JSON.stringify(content))) };
}

/** The object's identity and the values a merge patch replaces. Null where there was none: as a merge patch, it undoes the other. */
function touched({ apiVersion, kind, metadata, ...rest }: KubernetesObject, patch: { [key: string]: Json }) {
  const { name, namespace, uid, resourceVersion } = metadata;
  const before = under({ metadata, ...rest }, patch) as { metadata?: object };
  return { apiVersion, kind, ...before, metadata: { ...before.metadata, name, namespace, uid, resourceVersion } };
}

function under(value: unknown, patch: Json): unknown {
  if (!isPlain(patch)) return value ?? null;
  const fields = isPlain(value) ? value : {};
  return Object.fromEntries(Object.entries(patch).map(([key, below]) => [key, under(fields[key], below)]));
}

const isPlain = (value: unknown): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value);
