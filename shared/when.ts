import { OBJECT_CHANGED } from '../events/object-changed.ts';
import type { Pattern } from '../events/pattern.ts';
import { WRITES_COUNTED } from '../events/writes-counted.ts';
import { type Duration, milliseconds } from './duration.ts';

/** A numeric test for a pattern: `phantoms: atLeast(3)`. */
export const atLeast = (n: number): Pattern[string] => [{ numeric: ['>=', n] }];

interface Kind {
  group: string;
  resource: string;
}

/** The EventBridge pattern for writes counted on objects of one kind, in a sliding window; `counts` are tests on the fact's other fields. */
export const whenWritesCounted = (kind: Kind, window: Duration, counts: Pattern): Pattern => ({
  source: ['kubernetes'],
  'detail-type': [WRITES_COUNTED],
  detail: { object: exactly(kind), window: { seconds: [milliseconds(window) / 1_000] }, ...counts },
});

/** The EventBridge pattern for changes of objects of one kind; `test` may name `change`, `changed`, `phantom`, `current` and `previous`. */
export const whenObjectChanged = (kind: Kind, test: Pattern = {}): Pattern => ({
  source: ['kubernetes'],
  'detail-type': [OBJECT_CHANGED],
  detail: { object: exactly(kind), ...test },
});

const exactly = ({ group, resource }: Kind): Pattern => ({ group: [group], resource: [resource] });
