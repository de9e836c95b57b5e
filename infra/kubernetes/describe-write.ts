import type { Write } from '../../shared/write.ts';

/** A declared write as a verb phrase: ``changes only `/spec/cancel` of opsrequests``. */
export function describeWrite(write: Write): string {
  const kind = `${write.resource}${write.group && `.${write.group}`}`;
  const which = write.names ? `${kind} ${write.names.join(', ')}` : kind;
  const only = 'before' in write && write.before ? ` where ${describeFields(write.before)}` : '';
  switch (write.operation) {
    case 'delete':
      return `deletes ${which}${only}`;
    case 'create':
      return `creates ${which} with only ${pointers(write.fields)}`;
    default:
      return `changes only ${pointers(write.changes)} of ${which}${only}`;
  }
}

const describeFields = (fields: { [pointer: string]: string }): string =>
  Object.entries(fields)
    .map(([pointer, expected]) => `\`${pointer}\` matches \`${expected}\``)
    .join(' and ');

const pointers = (fields: object): string =>
  Object.keys(fields)
    .map((pointer) => `\`${pointer}\``)
    .join(', ');
