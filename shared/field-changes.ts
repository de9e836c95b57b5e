import type { Json } from './canonical.ts';
import { keysOf, valueAt } from './json-patch.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import type { Step } from './plan.ts';

/** A value that is longer is only measured: the record travels on the bus, and nobody reads it in a message. */
const LONGEST = 500;

/** One field that a step writes. `after` is absent where it is removed. */
export interface FieldChange {
  /** JSON pointer (RFC 6901). */
  pointer: string;
  after?: Json;
}

/** The fields that a step writes, as far as the step itself says them; an applied document is too large to. */
export function fieldsOf(step: Step): FieldChange[] {
  switch (step.kind) {
    case 'merge-patch':
      return leaves(step.patch);
    case 'json-patch':
      return step.operations
        .filter(({ op }) => op !== 'test')
        .map(({ op, path, value }) => ({ pointer: path, ...(op !== 'remove' && value !== undefined && { after: value }) }));
    default:
      return [];
  }
}

/**
 * What stands in these fields now, by pointer; a field that is not there is left out. Nothing of a Secret: what is in it is nobody's to read.
 * It is shown to people beside the plan and is no part of its hash: the step's own locks and tests decide.
 */
export function valuesBefore(step: Step, live: KubernetesObject): Record<string, Json> {
  if (holdsSecrets(step)) return {};
  return Object.fromEntries(
    fieldsOf(step).flatMap(({ pointer }) => {
      const value = valueAt(live, pointer) as Json | undefined;
      if (value === undefined) return [];
      const { length } = JSON.stringify(value);
      return [[pointer, length > LONGEST ? `(${length} characters)` : value]];
    }),
  );
}

/** Whether the values of a step's target are secret. */
export const holdsSecrets = ({ target }: Pick<Step, 'target'>): boolean => target.group === '' && target.resource === 'secrets';

/** A pointer for people: `spec.replicas`, `metadata.annotations["strimzi.io/x"]`. */
export function pathOf(pointer: string): string {
  return keysOf(pointer).reduce((path, key) => {
    if (/^\d+$/.test(key)) return `${path}[${key}]`;
    if (/^[\w-]+$/.test(key)) return path === '' ? key : `${path}.${key}`;
    return `${path}[${JSON.stringify(key)}]`;
  }, '');
}

/** A merge patch removes a field with null. */
function leaves(patch: { [key: string]: Json }, at = ''): FieldChange[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const pointer = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return leaves(value, pointer);
    return [{ pointer, ...(value !== null && { after: value }) }];
  });
}
