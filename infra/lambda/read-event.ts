import * as z from 'zod';
import { envelope } from '../../events/fact.ts';
import { OBJECT_CHANGED, objectChanged } from '../../events/object-changed.ts';
import { matches, type Pattern } from '../../events/pattern.ts';
import { WRITES_COUNTED, writesCounted } from '../../events/writes-counted.ts';
import type { Fact } from '../../shared/remediation.ts';
import { appointment } from '../../shared/schedule/appointment.ts';
import type { Appointment } from '../../shared/schedule/schedule.ts';

/** A fact that a remediation is for, or why it is not. `replay` names the archive replay it came from. */
export type Reading = { fact: Fact } | { fact: Fact; replay: string } | { because: string };

/** What a function has to do. */
export type Work = Reading | { appointment: Appointment };

/** What functions/kubemend/continue-incident hands on. */
const due = z.strictObject({ appointment });

const SCHEMAS = new Map<string, z.ZodType<Fact>>([
  [OBJECT_CHANGED, objectChanged],
  [WRITES_COUNTED, writesCounted],
]);

/** Reads an appointment, or an event. */
export function readWork(event: unknown, when: Pattern[]): Work {
  const found = due.safeParse(event);
  return found.success ? found.data : readEvent(event, when);
}

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
  return replay === undefined ? { fact: fact.data } : { fact: fact.data, replay };
}

const problems = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`)
    .join('; ');
