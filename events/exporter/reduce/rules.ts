import { OBJECT_CHANGED } from '../../object-changed.ts';
import type { Pattern } from '../../pattern.ts';
import { WRITES_COUNTED } from '../../writes-counted.ts';
import { asRecord } from '../as-record.ts';

/** A rule of the bus: what somebody downstream wants to hear of. The pattern is over the whole EventBridge envelope. */
export interface Rule {
  name: string;
  pattern: Pattern;
}

/** A rule reduced to what the exporter must do for it. */
export interface RuleDemand {
  rule: Rule;
  detailType: typeof OBJECT_CHANGED | typeof WRITES_COUNTED;
  resources: { group: string; resource: string }[];
  /** Seconds; of a Writes Counted rule. */
  windows: number[];
  /** Paths below `detail.current` and `detail.previous`. */
  fields: string[][];
}

/** What a set of rules makes the exporter watch, count and send. */
export interface Subscriptions {
  demands: RuleDemand[];
  resources: { group: string; resource: string }[];
  windowsFor(group: string, resource: string): number[];
  fieldsFor(group: string, resource: string): string[][];
}

/** Seconds of a window when a Writes Counted rule names none. */
export const DEFAULT_WINDOW = 60;

/** Derives all that from the patterns. Rules about other sources are ignored. Throws an error that names the rule it cannot serve. */
export function subscriptions(rules: Rule[]): Subscriptions {
  const demands = rules.filter(isOurs).map(demandOf);
  const resources = new Map(demands.flatMap((demand) => demand.resources).map((one) => [keyOf(one.group, one.resource), one]));
  const windows = new Map<string, Set<number>>();
  const fields = new Map<string, Map<string, string[]>>();
  for (const demand of demands) {
    for (const { group, resource } of demand.resources) {
      const key = keyOf(group, resource);
      for (const seconds of demand.windows) windows.set(key, (windows.get(key) ?? new Set()).add(seconds));
      for (const path of demand.fields) fields.set(key, (fields.get(key) ?? new Map()).set(JSON.stringify(path), path));
    }
  }
  return {
    demands,
    resources: [...resources.values()],
    windowsFor: (group, resource) => [...(windows.get(keyOf(group, resource)) ?? [])].sort((a, b) => a - b),
    fieldsFor: (group, resource) => [...(fields.get(keyOf(group, resource))?.values() ?? [])],
  };
}

const keyOf = (group: string, resource: string): string => `${group}/${resource}`;

const isOurs = ({ pattern }: Rule): boolean => {
  const { source } = asRecord(pattern);
  return !Array.isArray(source) || source.includes('kubernetes');
};

function demandOf(rule: Rule): RuleDemand {
  const { detail, 'detail-type': types } = asRecord(rule.pattern);
  const [detailType] = exact(rule, 'detail-type', types);
  if (detailType !== OBJECT_CHANGED && detailType !== WRITES_COUNTED) {
    throw new Error(
      `Rule ${rule.name}: "detail-type" must be "${OBJECT_CHANGED}" or "${WRITES_COUNTED}"; the exporter sends nothing else.`,
    );
  }
  const { object, window, current, previous } = asRecord(detail);
  const { group: groups, resource: names } = asRecord(object);
  const resources = exact(rule, 'detail.object.group', groups).flatMap((group) =>
    exact(rule, 'detail.object.resource', names).map((resource) => ({ group, resource })),
  );
  if (detailType === WRITES_COUNTED) return { rule, detailType, resources, windows: windowsOf(rule, window), fields: [] };
  const fields = [...pathsOf(current), ...pathsOf(previous), ...alternatives(asRecord(detail).$or)];
  return { rule, detailType, resources, windows: [], fields };
}

/** `$or` directly below `detail` holds whole alternatives of it. */
const alternatives = (or: unknown): string[][] =>
  (Array.isArray(or) ? or : []).flatMap((one) => [...pathsOf(asRecord(one).current), ...pathsOf(asRecord(one).previous)]);

function exact(rule: Rule, path: string, values: unknown): string[] {
  if (Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'string')) return values;
  throw new Error(`Rule ${rule.name}: "${path}" must be a list of exact strings, because the exporter watches what it names.`);
}

function windowsOf(rule: Rule, window: unknown): number[] {
  const { seconds } = asRecord(window);
  if (seconds === undefined) return [DEFAULT_WINDOW];
  const valid = Array.isArray(seconds) && seconds.length > 0 && seconds.every((one) => Number.isInteger(one) && one > 0 && one <= 3_600);
  if (!valid) throw new Error(`Rule ${rule.name}: "detail.window.seconds" must list whole seconds from 1 to 3600, such as [60].`);
  return seconds;
}

/** Leaves of a pattern are lists; `$or` lists alternatives at the same place. */
function pathsOf(pattern: unknown, path: string[] = []): string[][] {
  if (Array.isArray(pattern)) return path.length > 0 ? [path] : [];
  return Object.entries(asRecord(pattern)).flatMap(([field, below]) =>
    field === '$or' && Array.isArray(below) ? below.flatMap((one) => pathsOf(one, path)) : pathsOf(below, [...path, field]),
  );
}
