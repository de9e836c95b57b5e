import { describe, expect, it } from '@jest/globals';
import { desiredStatus } from './status.ts';

const kafka = { apiVersion: 'kafka.strimzi.io/v1beta2', kind: 'Kafka', metadata: { name: 'a', namespace: 'b', generation: 4 }, spec: {} };

describe('the status an operator wants', () => {
  it.each([
    ['0.36.0', []],
    ['0.42.0', ['kafkaMetadataState', 'kafkaMetadataVersion', 'kafkaVersion', 'operatorLastSuccessfulVersion']],
    ['0.43.0', ['kafkaMetadataState', 'kafkaMetadataVersion', 'kafkaVersion', 'operatorLastSuccessfulVersion', 'registeredNodeIds']],
    ['0.48.0', ['kafkaMetadataState', 'kafkaMetadataVersion', 'kafkaVersion', 'operatorLastSuccessfulVersion']],
    ['1.1.0', ['kafkaMetadataVersion', 'kafkaVersion', 'operatorLastSuccessfulVersion']],
    ['1.2.0', ['clusterSecurity', 'kafkaMetadataVersion', 'kafkaVersion', 'operatorLastSuccessfulVersion']],
  ])('of version %s has the fields of that version: %j', (version, expected) => {
    const always = ['clusterId', 'conditions', 'kafkaNodePools', 'listeners', 'observedGeneration'];
    const status = desiredStatus(kafka, [], { version }, '2026-01-01T00:00:00Z');
    expect(
      Object.keys(status)
        .filter((field) => !always.includes(field))
        .sort(),
    ).toEqual(expected);
  });
});
