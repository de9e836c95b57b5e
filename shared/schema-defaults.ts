/** How deep a schema may be for kubemend to check all of it: the deepest of a pinned document has 14 levels. */
export const SCHEMA_LEVELS = 20;

/**
 * The places of an OpenAPI schema that set a `default`, or that lie too deep to check, as dotted paths. The API server adds a default to every
 * object that it reads, so whoever sets one changes all objects of the kind. A structural schema has defaults nowhere else:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
 */
export function schemaDefaults(schema: unknown, at = '', level = 0): string[] {
  if (!isMap(schema)) return [];
  const { properties = {}, items, additionalProperties } = schema;
  const below: [string, unknown][] = [
    ...Object.entries(isMap(properties) ? properties : {}).map(([name, one]): [string, unknown] => [`${at}.${name}`, one]),
    ...[items, additionalProperties].filter(isMap).map((one): [string, unknown] => [`${at}[]`, one]),
  ];
  if (level === SCHEMA_LEVELS && below.length > 0) return [`${at} (too deep)`];
  return [...('default' in schema ? [`${at}.default`] : []), ...below.flatMap(([place, one]) => schemaDefaults(one, place, level + 1))];
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
