import { canonical } from '../canonical.ts';
import type { CrdVersion, CustomResourceDefinition, Schema } from './crd.ts';
import { narrowings } from './schema-narrowings.ts';

export type { CustomResourceDefinition } from './crd.ts';

/**
 * Everything that would get narrower if `target` replaced `live`, one sentence each: `v1beta2 .spec.kafka.replicas: now required`.
 * Empty means that `target` accepts and keeps all that `live` does. Descriptions, printer columns and order do not count.
 */
export function schemaLosses(live: CustomResourceDefinition, target: CustomResourceDefinition): string[] {
  return [
    ...identityLosses(live, target),
    ...storedVersionLosses(live, target),
    ...live.spec.versions.filter(({ served }) => served).flatMap((version) => versionLosses(version, target)),
  ];
}

/** Those of the dotted `fields` below `.status` that the served `version` does not keep when they are written; all of them when it is not served. */
export function missingStatusFields(crd: CustomResourceDefinition, version: string, fields: readonly string[]): string[] {
  const root = crd.spec.versions.find(({ name, served }) => name === version && served)?.schema?.openAPIV3Schema;
  return fields.filter((field) => !root || !keeps(root, ['status', ...field.split('.')]));
}

// apiextensions-apiserver pkg/apiserver/schema/pruning: a specified child is pruned by its own schema even below preserve-unknown-fields.
function keeps(schema: Schema, path: readonly string[]): boolean {
  const [head, ...rest] = path;
  if (head === undefined) return true;
  if (schema.items) return keeps(schema.items, path);
  const child = ownChild(schema, head);
  if (child !== undefined) return keeps(child, rest);
  if (typeof schema.additionalProperties === 'object') return keeps(schema.additionalProperties, rest);
  return schema.additionalProperties === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
}

const ownChild = ({ properties }: Schema, name: string): Schema | undefined =>
  properties && Object.hasOwn(properties, name) ? properties[name] : undefined;

function identityLosses(live: CustomResourceDefinition, target: CustomResourceDefinition): string[] {
  const [before, after] = [identity(live), identity(target)];
  const changed = Object.entries(before).flatMap(([field, value]) =>
    value === after[field] ? [] : [`${field}: ${value} → ${after[field]}`],
  );
  const lost = (['shortNames', 'categories'] as const).flatMap((field) =>
    (live.spec.names[field] ?? [])
      .filter((name) => !target.spec.names[field]?.includes(name))
      .map((name) => `spec.names.${field}: ${name} disappears`),
  );
  return [...changed, ...lost];
}

/** What the API server fills in by itself (singular, listKind, conversion) is filled in here too, so that it never shows as a difference. */
function identity({ metadata, spec }: CustomResourceDefinition): Record<string, string> {
  const { strategy = 'None', ...webhook } = spec.conversion ?? {};
  return {
    'metadata.name': metadata.name,
    'spec.group': spec.group,
    'spec.scope': spec.scope,
    'spec.names.kind': spec.names.kind,
    'spec.names.plural': spec.names.plural,
    'spec.names.singular': spec.names.singular ?? spec.names.kind.toLowerCase(),
    'spec.names.listKind': spec.names.listKind ?? `${spec.names.kind}List`,
    'spec.conversion': strategy === 'None' ? 'None' : `${strategy} ${canonical(webhook)}`,
    'spec.preserveUnknownFields': String(spec.preserveUnknownFields ?? false),
  };
}

// The API server refuses a CRD that drops a version in which objects are stored.
function storedVersionLosses(live: CustomResourceDefinition, { spec }: CustomResourceDefinition): string[] {
  const offered = new Set(spec.versions.map(({ name }) => name));
  return (live.status?.storedVersions ?? [])
    .filter((name) => !offered.has(name))
    .map((name) => `${name}: objects are stored in this version (status.storedVersions) and it disappears`);
}

function versionLosses(live: CrdVersion, { spec }: CustomResourceDefinition): string[] {
  const target = spec.versions.find(({ name }) => name === live.name);
  if (!target?.served) return [`${live.name}: ${target ? 'no longer served' : 'the served version disappears'}`];
  const losses: string[] = [];
  const tell = (text: string) => losses.push(`${live.name} ${text}`);
  for (const name of ['status', 'scale'] as const) {
    const [before, after] = [live.subresources?.[name], target.subresources?.[name]];
    // A status subresource that appears is a loss as well: from then on a plain PUT no longer writes `.status`.
    const differs = name === 'scale' ? before !== undefined && canonical(before) !== canonical(after) : !before !== !after;
    if (differs) tell(`subresources.${name}: ${before ? canonical(before) : 'none'} → ${after ? canonical(after) : 'none'}`);
  }
  for (const { jsonPath } of live.selectableFields ?? []) {
    if (!target.selectableFields?.some((field) => field.jsonPath === jsonPath)) tell(`selectableFields: ${jsonPath} disappears`);
  }
  const unknown: Schema = { 'x-kubernetes-preserve-unknown-fields': true };
  const [before, after] = [live.schema?.openAPIV3Schema ?? unknown, target.schema?.openAPIV3Schema ?? unknown];
  for (const text of narrowings(before, after, '')) tell(text);
  return losses;
}
