import type * as z from 'zod';
import { envelope } from '../../events/fact.ts';
import { OBJECT_CHANGED, objectChanged } from '../../events/object-changed.ts';
import { matches, type Pattern } from '../../events/pattern.ts';
import { WRITES_COUNTED, writesCounted } from '../../events/writes-counted.ts';
import type { Fact } from '../../shared/remediation.ts';

/** An event that this function is for, or why it is not. `replay` names the archive replay it came from. */
export type Reading = { fact: Fact; replay?: string | undefined } | { because: string };

const SCHEMAS = new Map<string, z.ZodType<Fact>>([
  [OBJECT_CHANGED, objectChanged],
  [WRITES_COUNTED, writesCounted],
]);

/** Checks an event as EventBridge delivers it. Whatever is wrong with it stays wrong, so it is an answer and not an error: nobody should send it again. */
export function readEvent(event: unknown, when: Pattern[]): Reading {
  const outer = envelope.safeParse(event);
  if (!outer.success) return { because: `The event is no EventBridge event: ${problems(outer.error)}` };
  const { id, detail, 'detail-type': type, 'replay-name': replay } = outer.data;
  const schema = SCHEMAS.get(type);
  if (!schema) return { because: `Event ${id} is "${type}"; a remediation takes ${[...SCHEMAS.keys()].join(' and ')}` };
  const fact = schema.safeParse(detail);
  if (!fact.success) return { because: `Event ${id} is no ${type}: ${problems(fact.error)}` };
  if (!when.some((pattern) => matches(pattern, event as never))) return { because: `Event ${id} does not match this remediation's rule` };
  return { fact: fact.data, replay };
}

const problems = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`)
    .join('; ');
