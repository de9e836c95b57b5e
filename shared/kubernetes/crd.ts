import * as z from 'zod';
import type { KubernetesObject } from './object.ts';
import { documentsOf } from './yaml.ts';

/** A CustomResourceDefinition (apiextensions.k8s.io/v1), as far as kubemend compares it; every other field is kept as it came. */
export interface CustomResourceDefinition extends KubernetesObject {
  spec: CrdSpec;
  status?: { storedVersions?: string[]; [field: string]: unknown };
}

interface CrdSpec {
  group: string;
  scope: string;
  names: { kind: string; plural: string; singular?: string; listKind?: string; shortNames?: string[]; categories?: string[] };
  versions: CrdVersion[];
  conversion?: { strategy?: string; [field: string]: unknown };
  preserveUnknownFields?: boolean;
  [field: string]: unknown;
}

/** One entry of `.spec.versions`. */
export interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema?: { openAPIV3Schema?: Schema };
  subresources?: { status?: object; scale?: object };
  selectableFields?: { jsonPath: string }[];
}

/** The part of a structural schema that decides what is accepted and what is kept. */
export interface Schema {
  type?: string;
  format?: string;
  pattern?: string;
  nullable?: boolean;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-validations'?: { rule: string }[];
  [keyword: string]: unknown;
}

const shape = z.looseObject({
  apiVersion: z.literal('apiextensions.k8s.io/v1'),
  kind: z.literal('CustomResourceDefinition'),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    group: z.string(),
    scope: z.string(),
    names: z.looseObject({ kind: z.string(), plural: z.string() }),
    versions: z.array(z.looseObject({ name: z.string(), served: z.boolean(), storage: z.boolean() })).min(1),
  }),
});

/** The same object, known to be a CustomResourceDefinition; throws with the reason when it is not one. */
export function asCrd(object: unknown): CustomResourceDefinition {
  const checked = shape.safeParse(object);
  if (checked.success) return object as CustomResourceDefinition;
  throw new Error(`This is not a CustomResourceDefinition of apiextensions.k8s.io/v1: ${z.prettifyError(checked.error)}`);
}

/** The CustomResourceDefinitions of a multi-document YAML text, in its order; throws on a YAML error or any other kind of object. */
export const parseCrds = async (yaml: string): Promise<CustomResourceDefinition[]> => (await documentsOf(yaml)).map(asCrd);
