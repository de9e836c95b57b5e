/** What of a component (or a sharding's template) decides how its instances are called. */
export interface Naming {
  /** Instances that run; offline ones do not count. */
  replicas: number;
  instances?: { name: string; replicas?: number | undefined; ordinals?: unknown }[] | undefined;
  /** Names that are skipped: their ordinals stay reserved. */
  offlineInstances?: string[] | undefined;
  ordinals?: unknown;
  flatInstanceOrdinal?: boolean | undefined;
  enableInstanceAPI?: boolean | undefined;
}

/** What raising the replicas would take: the pods that come, and the component as it would be. */
export type RaisePlan<C extends Naming> =
  | { ok: true; missing: string[]; next: C }
  | { ok: false; because: 'nothing missing' | 'unknown template' | 'ordinal gap' };

/** The names KubeBlocks gives to the instances of `<cluster>-<component>` (`generateInstanceNames`, 0.9.0 to 1.0.2). Holds only where `isPlain`. */
export function names(parent: string, { replicas, instances = [], offlineInstances = [] }: Naming): Set<string> {
  const offline = new Set(offlineInstances);
  const result = new Set<string>();
  const generate = (prefix: string, count: number): void => {
    for (let ordinal = 0, made = 0; made < count; ordinal += 1) {
      const name = `${prefix}-${ordinal}`;
      if (offline.has(name)) continue;
      result.add(name);
      made += 1;
    }
  };
  let templated = 0;
  for (const { name, replicas: count = 1 } of instances) {
    templated += count;
    generate(`${parent}-${name}`, count);
  }
  generate(parent, Math.max(0, replicas - templated));
  return result;
}

/** Whether ordinals follow from replicas and offline names alone. Ranges and flat ordinals are another arithmetic: nothing is concluded there. */
export const isPlain = ({ ordinals, flatInstanceOrdinal, enableInstanceAPI, instances = [] }: Naming): boolean =>
  !flatInstanceOrdinal && !enableInstanceAPI && !hasOrdinals(ordinals) && !instances.some((template) => hasOrdinals(template.ordinals));

/** `ordinals: {}` is what an empty field becomes: it says nothing. */
export const hasOrdinals = (ordinals: unknown): boolean =>
  typeof ordinals === 'object' && ordinals !== null && Object.values(ordinals).some((list) => Array.isArray(list) && list.length > 0);

/** The template an instance is made of; `''` is the component itself. */
export function templateOf(parent: string, pod: string): string {
  const prefix = pod.slice(0, pod.lastIndexOf('-'));
  return prefix === parent ? '' : prefix.slice(parent.length + 1);
}

/** Raises the replicas by the pods of `online` that are missing. Refuses where that would make any pod but those. */
export function planRaise<C extends Naming>(parent: string, component: C, online: string[]): RaisePlan<C> {
  const current = names(parent, component);
  const missing = [...new Set(online)].filter((name) => !current.has(name));
  if (missing.length === 0) return { ok: false, because: 'nothing missing' };
  const next = structuredClone(component);
  for (const name of missing) {
    next.replicas += 1;
    const of = templateOf(parent, name);
    if (of === '') continue;
    const template = next.instances?.find((instance) => instance.name === of);
    if (!template) return { ok: false, because: 'unknown template' };
    template.replicas = (template.replicas ?? 1) + 1;
  }
  return same(names(parent, next), new Set([...current, ...missing])) ? { ok: true, missing, next } : { ok: false, because: 'ordinal gap' };
}

/** Whether a request with `replicaChanges` = the number of `online` makes exactly those pods, on a component where all of them are offline. */
export function retryMakes(parent: string, component: Naming, online: string[]): boolean {
  const offlineInstances = (component.offlineInstances ?? []).filter((name) => !online.includes(name));
  const after = names(parent, { ...component, offlineInstances, replicas: component.replicas + new Set(online).size });
  return same(after, new Set([...names(parent, component), ...online]));
}

const same = (left: Set<string>, right: Set<string>): boolean => left.size === right.size && [...left].every((name) => right.has(name));
