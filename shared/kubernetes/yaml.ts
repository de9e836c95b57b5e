import type { KubernetesObject } from './object.ts';

/** The objects of a multi-document YAML text. Throws with the line where it is no YAML or no object. */
export async function documentsOf(text: string): Promise<KubernetesObject[]> {
  // A function that never reads a document starts without the parser. It is CommonJS: bundled, it has nothing but a default.
  const { default: yaml } = await import('yaml');
  return [...yaml.parseAllDocuments(text)].flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`The document is no YAML: ${error.message}`);
    const object = document.toJS() as Partial<KubernetesObject> | null;
    if (object === null) return [];
    if (typeof object.metadata?.name !== 'string') throw new Error('A document has no metadata.name: is it a Kubernetes object?');
    return [object as KubernetesObject];
  });
}
