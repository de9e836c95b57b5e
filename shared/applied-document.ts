import { keysOf, valueAt } from './json-patch.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import { documentsOf } from './kubernetes/yaml.ts';
import type { Apply } from './plan.ts';

/** What a server-side apply sends, out of the text of its artifact: the document named like the target, without its status, and `only` the fields the step names. */
export async function appliedDocument(
  { target, only }: Pick<Apply, 'target' | 'only'>,
  text: string,
): Promise<KubernetesObject | undefined> {
  const found = (await documentsOf(text)).find(({ metadata }) => metadata.name === target.name);
  if (!found) return undefined;
  const { status: _, ...document } = found;
  if (!only) return document as KubernetesObject;
  const { apiVersion, kind, metadata } = document;
  const { name, namespace } = metadata;
  const sent: Record<string, unknown> = { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } };
  for (const pointer of only) {
    const value = valueAt(document, pointer);
    const keys = keysOf(pointer);
    if (value !== undefined) place(sent, keys, value);
  }
  return sent as unknown as KubernetesObject;
}

function place(node: Record<string, unknown>, [key = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) {
    node[key] = value;
    return;
  }
  const below = (node[key] ?? {}) as Record<string, unknown>;
  node[key] = below;
  place(below, rest, value);
}
