import type { KubernetesObject } from './object.ts';

interface Owner {
  name: string;
  managers?: RegExp;
  labels?: RegExp;
  annotations?: RegExp;
}

/** Who puts objects back to what their source says, and how each marks what it owns. */
const OWNERS: Owner[] = [
  { name: 'Argo CD', managers: /^argocd/, labels: /^argocd\.argoproj\.io\//, annotations: /^argocd\.argoproj\.io\/tracking-id$/ },
  { name: 'Flux', managers: /^(kustomize|helm)-controller$/, labels: /^(kustomize|helm)\.toolkit\.fluxcd\.io\// },
  { name: 'OLM', labels: /^(olm\.managed|operators\.coreos\.com\/.*)$/ },
  // Helm writes this on what a release owns; a chart's crds/ directory carries it never, and Helm never upgrades those.
  { name: 'a Helm release', annotations: /^meta\.helm\.sh\/release-name$/ },
];

/** Names the source that would revert a write to this object, or undefined when nobody would. */
export function whoWouldRevert({ metadata }: KubernetesObject): string | undefined {
  const managers = (metadata.managedFields ?? []).map(({ manager = '' }) => manager);
  const labels = Object.keys(metadata.labels ?? {});
  const annotations = Object.keys(metadata.annotations ?? {});
  const has = (values: string[], pattern: RegExp | undefined): boolean =>
    pattern !== undefined && values.some((value) => pattern.test(value));
  return OWNERS.find((owner) => has(managers, owner.managers) || has(labels, owner.labels) || has(annotations, owner.annotations))?.name;
}
