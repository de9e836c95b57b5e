/**
 * Every Strimzi release with an `api` jar on Maven Central that kubemend ships CRDs for, and the generator that ran for it.
 * Where the release's own `crd-generator` jar was never published, the named one stands in, with the release's own Kubernetes model in
 * front of the one packed into the generator; how that was checked is told in `artifacts/README.md`.
 * Not on Maven Central at all: 0.45.1, 0.45.2, 1.1.0.
 */
export const versions = [
  { version: '0.37.0', generator: '0.38.0' },
  { version: '0.38.0', generator: '0.38.0' },
  { version: '0.39.0', generator: '0.39.0' },
  { version: '0.40.0', generator: '0.40.0' },
  { version: '0.41.0', generator: '0.43.0' },
  { version: '0.42.0', generator: '0.43.0' },
  { version: '0.43.0', generator: '0.43.0' },
  { version: '0.44.0', generator: '0.45.0' },
  { version: '0.45.0', generator: '0.45.0' },
  { version: '0.46.0', generator: '1.2.0' },
  { version: '0.46.1', generator: '1.2.0' },
  { version: '0.47.0', generator: '1.2.0' },
  { version: '0.48.0', generator: '1.2.0' },
  { version: '0.49.0', generator: '1.2.0' },
  { version: '1.2.0', generator: '1.2.0' },
];
