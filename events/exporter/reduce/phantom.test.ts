import { describe, expect, it } from '@jest/globals';
import { readRecording } from '../testdata/recording.ts';
import { isPhantom } from './phantom.ts';

const at = (time: string, metadata = {}, status = {}) => ({
  metadata: { uid: 'u', generation: 3, resourceVersion: time, managedFields: [{ time }], ...metadata },
  spec: { size: 1 },
  status: { observedGeneration: 3, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time }], ...status },
});

describe('isPhantom', () => {
  it('recognises a write that moved only times and bookkeeping', () => {
    expect(isPhantom(at('1'), at('2'))).toBe(true);
  });

  it.each([
    ['no transition time moved', at('1'), at('2', {}, { conditions: at('1').status.conditions })],
    ['the spec changed', at('1'), { ...at('2'), spec: { size: 2 } }],
    ['a condition changed its status', at('1'), at('2', {}, { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2' }] })],
    ['a condition came', at('1'), at('2', {}, { conditions: [...at('2').status.conditions, { type: 'X', lastTransitionTime: '2' }] })],
    ['a label came', at('1'), at('2', { labels: { a: 'b' } })],
    ['the generation moved', at('1'), at('2', { generation: 4 }, { observedGeneration: 4 })],
    ['the operator is behind', at('1', {}, { observedGeneration: 2 }), at('2', {}, { observedGeneration: 2 })],
    [
      'the kind knows no observedGeneration',
      at('1', {}, { observedGeneration: undefined }),
      at('2', {}, { observedGeneration: undefined }),
    ],
    ['it is being deleted', at('1', { deletionTimestamp: 'x' }), at('2', { deletionTimestamp: 'x' })],
    ['it is another object of the same name', at('1', { uid: 'old' }), at('2')],
    ['the objects are no objects', null, 'text'],
  ])('does not when %s', (_, before, after) => {
    expect(isPhantom(before, after)).toBe(false);
  });

  const phantomsIn = (name: Parameters<typeof readRecording>[0]) => {
    const kafkas = readRecording(name).flatMap(({ watch }) => (watch?.resource === 'kafkas' ? [watch.object] : []));
    return { pairs: kafkas.length - 1, phantoms: kafkas.slice(1).filter((after, i) => isPhantom(kafkas[i], after)).length };
  };

  it.each([
    ['strimzi-storm-start', { pairs: 30, phantoms: 30 }],
    ['strimzi-ca-interrupted', { pairs: 2, phantoms: 0 }],
    ['strimzi-ca-uninterrupted', { pairs: 2, phantoms: 0 }],
  ] as const)('is right on the Kafka of the recording %s', (name, expected) => {
    expect(phantomsIn(name)).toEqual(expected);
  });
});
