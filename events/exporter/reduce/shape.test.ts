import { describe, expect, it } from '@jest/globals';
import { type ShapeInput, shapeOf } from './shape.ts';

const quiet: ShapeInput = {
  writes: 0,
  rejected: 0,
  changes: 0,
  phantoms: 0,
  noops: 0,
  errors: 0,
  uids: 1,
  generationMoved: false,
  actors: [],
};
const two = [
  { user: 'a', pod: 'p1', changes: 4 },
  { user: 'a', pod: 'p2', changes: 4 },
];
const managers = [
  { user: 'a', fieldManager: 'x', changes: 2 },
  { user: 'a', fieldManager: 'y', changes: 2 },
];

describe('shapeOf', () => {
  it.each([
    ['error-loop', { writes: 40, errors: 40 }],
    ['error-loop', { rejected: 40, errors: 40 }],
    ['error-loop', { writes: 9, changes: 9, rejected: 40, errors: 40 }],
    ['churn', { writes: 30, phantoms: 30, rejected: 4_000, errors: 4_000 }],
    ['noop', { writes: 30, noops: 30, rejected: 4_000, errors: 4_000 }],
    ['busy', { writes: 40, changes: 40, rejected: 8, errors: 8 }],
    ['churn', { writes: 30, phantoms: 30 }],
    ['churn', { writes: 8, phantoms: 4, changes: 4 }],
    ['noop', { writes: 60, noops: 59, changes: 1 }],
    ['recreate', { writes: 30, changes: 30, uids: 15 }],
    ['split-brain', { writes: 8, changes: 8, actors: two, generationMoved: true }],
    ['fight', { writes: 4, changes: 4, actors: managers, generationMoved: true }],
    ['busy', { writes: 4, changes: 4, actors: managers }],
    ['busy', { writes: 2, errors: 2 }],
    ['busy', { writes: 2, phantoms: 2 }],
    ['busy', { writes: 8, errors: 4, changes: 4 }],
    [
      'busy',
      {
        writes: 5,
        changes: 5,
        actors: [
          { user: 'a', pod: 'p1', changes: 4 },
          { user: 'a', pod: 'p2', changes: 1 },
        ],
      },
    ],
    [
      'busy',
      {
        writes: 8,
        changes: 8,
        actors: [
          { user: 'a', pod: 'p1', changes: 4 },
          { user: 'b', pod: 'p2', changes: 4 },
        ],
      },
    ],
    ['busy', {}],
  ] as [string, Partial<ShapeInput>][])('says %s for %j', (shape, window) => {
    expect(shapeOf({ ...quiet, ...window })).toBe(shape);
  });
});
