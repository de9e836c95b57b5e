import satisfies from 'semver/functions/satisfies.js';

/** Which operators write which field of a Kafka's status in every reconciliation; each was new in the CRDs of its first version. */
const WRITTEN: [field: string, operators: string][] = [
  ['kafkaNodePools', '>=0.36.0'],
  ['operatorLastSuccessfulVersion', '>=0.37.0'],
  ['kafkaVersion', '>=0.37.0'],
  ['kafkaMetadataVersion', '>=0.39.0'],
  ['kafkaMetadataState', '>=0.40.0 <0.49.0'],
  ['registeredNodeIds', '>=0.43.0 <0.48.0'],
  ['clusterSecurity', '>=1.2.0'],
];

/** The operators of which every status field is known. */
export const KNOWN_OPERATORS = '>=0.37.0 <1.3.0';

/** The fields that any of these releases writes; without a release, the fields that any known one writes. */
export const writtenFields = (releases: string[]): string[] =>
  WRITTEN.filter(([, operators]) => releases.length === 0 || releases.some((release) => satisfies(release, operators))).map(
    ([field]) => field,
  );
