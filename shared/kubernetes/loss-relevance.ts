import type { KubernetesObject } from './object.ts';

/** A rule that is new at a path: `v1beta2 .spec.kafka.template.pod.env[]: oneOf added (…)`. Anything else (a type, a version, a field that goes) is never harmless. */
const NEW_RULE = /^\S+ (\.\S+): \S+ added\b/;

/**
 * Whether a loss of `schemaLosses` can hurt one of these objects. A new rule about a path that no object has rejects and prunes nothing that exists;
 * every other loss counts, whatever the objects are.
 */
export function hurts(loss: string, objects: KubernetesObject[]): boolean {
  const path = NEW_RULE.exec(loss)?.[1];
  if (path === undefined) return true;
  const steps = path.replaceAll('[]', '.[]').split('.').slice(1);
  return objects.some((object) => has(object, steps));
}

/** `[]` is any array item, `*` any value of a map. */
function has(value: unknown, [step, ...rest]: string[]): boolean {
  if (step === undefined) return value !== undefined;
  if (typeof value !== 'object' || value === null) return false;
  if (step === '[]') return Array.isArray(value) && value.some((item) => has(item, rest));
  if (step === '*') return Object.values(value).some((item) => has(item, rest));
  return has((value as Record<string, unknown>)[step], rest);
}
