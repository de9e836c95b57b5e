/** Which release's arithmetic: 0.9.0 to 0.9.3 and 1.0.0 have the defect of #9000, each in its own way. */
export type Release = '0.9.3' | '0.9.4' | '1.0.0' | '1.0.1';

/** What of a component decides its instances. */
export interface Sizing {
  replicas: number;
  offlineInstances: string[];
}

/** What a horizontal scaling asks for. */
export interface Scale {
  scaleOut?: { replicaChanges?: number; offlineInstancesToOnline?: string[] };
  scaleIn?: { replicaChanges?: number; onlineInstancesToOffline?: string[] };
}

/** What the controller makes of it, and which pods it then waits for. */
export interface Scaled extends Sizing {
  creates: string[];
  deletes: string[];
}

/** `generateInstanceNames`: ordinals from 0 on, past the offline ones, until there are enough. */
export function instanceNames(parent: string, { replicas, offlineInstances }: Sizing): string[] {
  const names: string[] = [];
  for (let ordinal = 0; names.length < replicas; ordinal += 1) {
    const name = `${parent}-${ordinal}`;
    if (!offlineInstances.includes(name)) names.push(name);
  }
  return names;
}

/** `autoSyncReplicaChanges` and `getCreateAndDeletePodSet` of `pkg/operations/horizontal_scaling.go`, without templates. */
export function scale(release: Release, parent: string, before: Sizing, { scaleOut, scaleIn }: Scale): Scaled {
  const online = scaleOut?.offlineInstancesToOnline ?? [];
  const offline = scaleIn?.onlineInstancesToOffline ?? [];
  const offlineInstances = [...before.offlineInstances.filter((name) => !online.includes(name)), ...offline];
  const out = scaleOut ? (scaleOut.replicaChanges ?? counted(release, parent, { ...before, offlineInstances }, online)) : 0;
  const into = scaleIn ? (scaleIn.replicaChanges ?? offline.length) : 0;
  const after = { replicas: before.replicas + out - into, offlineInstances };
  const was = new Set(instanceNames(parent, before));
  const is = new Set(instanceNames(parent, after));
  const creates = new Set([...is].filter((name) => !was.has(name)));
  const deletes = new Set([...was].filter((name) => !is.has(name)));
  // 1.0.0 waits for every requested name, whether or not anything will create it.
  if (release === '1.0.0') for (const name of online) creates.add(name);
  if (release === '1.0.0') for (const name of offline) deletes.add(name);
  return { ...after, creates: [...creates].sort(), deletes: [...deletes].sort() };
}

/** By how much the requested names raise the replicas when no number is given. */
function counted(release: Release, parent: string, cleared: Sizing, online: string[]): number {
  if (release === '1.0.1') {
    const raised = new Set(instanceNames(parent, { ...cleared, replicas: cleared.replicas + online.length }));
    const sorted = [...online].sort((a, b) => ordinalOf(a) - ordinalOf(b));
    const absent = sorted.findIndex((name) => !raised.has(name));
    return absent < 0 ? sorted.length : absent;
  }
  const names = new Set(instanceNames(parent, cleared));
  let count = 0;
  for (const name of online) {
    const follows = ordinalOf(name) === 0 || names.has(`${parent}-${ordinalOf(name) - 1}`);
    if (!names.has(name) && !(release === '0.9.4' && follows)) continue;
    names.add(name);
    count += 1;
  }
  return count;
}

const ordinalOf = (name: string): number => Number(name.slice(name.lastIndexOf('-') + 1));
