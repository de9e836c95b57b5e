/** Group, version and API path of an object: `kafka.strimzi.io/v1beta2` is served at `/apis/kafka.strimzi.io/v1beta2`. */
export function groupOf({ apiVersion = 'v1' }: { apiVersion?: string }): { group: string; version: string; path: string } {
  const [version = 'v1', group = ''] = apiVersion.split('/').reverse();
  return { group, version, path: group === '' ? `/api/${version}` : `/apis/${group}/${version}` };
}

/** The plural by which Kubernetes' own kinds and most others are served: Kafka, kafkas; NetworkPolicy, networkpolicies; Ingress, ingresses. */
export function resourceOf({ kind = '' }: { kind?: string }): string {
  const name = kind.toLowerCase();
  if (/(s|x|ch|sh)$/.test(name)) return `${name}es`;
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}
