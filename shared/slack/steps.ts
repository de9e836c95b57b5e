import type { Json } from '../canonical.ts';
import { fieldsOf, holdsSecrets, pathOf } from '../field-changes.ts';
import { nameOf } from '../kubernetes/object.ts';
import type { Step } from '../plan.ts';
import type { StoryPlan } from './story.ts';
import { code, escaped, words } from './text.ts';

const LONGEST = 200;

/** The steps of a plan for people: what is written where and why, each field before and after, and `most` changes of an applied document. Lines are escaped. */
export const stepLines = ({ steps, before, changes }: StoryPlan, most = 21): string[] =>
  steps.flatMap((step, index) => [
    `*${index + 1}.* ${verbOf(step)} ${code(nameOf(step.target))}: ${words(step.reason, 400)}`,
    ...detailsOf(step, before?.[index], fewest(changes?.[index] ?? [], most)).map((line) => `      ${line}`),
  ]);

function detailsOf(step: Step, before: Record<string, Json> | undefined, changes: string[]): string[] {
  switch (step.kind) {
    case 'apply':
      return [
        `document ${code(step.document.artifact)}, SHA-256 ${code(`${step.document.sha256.slice(0, 16)}…`)}`,
        ...changes.map((line) => (/^[-+~] /.test(line) ? code(line, LONGEST) : escaped(line))),
      ];
    case 'delete-znode':
      return [`${code(step.path)} of ZooKeeper, if it is still version ${escaped(String(step.lock.version))}; it is saved before`];
    case 'create-znode':
      return [`${code(step.path)} of ZooKeeper, as it was saved`];
    default:
      return fieldsOf(step).map(({ pointer, after }) => {
        const path = code(pathOf(pointer), LONGEST);
        // Nobody reads what is in a Secret, not even that it changes from what to what.
        if (holdsSecrets(step)) return `${path}: changed (values of Secrets are not shown)`;
        return `${path}: ${shown(before === undefined ? undefined : (before[pointer] ?? null), '(not recorded)')} → ${shown(after ?? null)}`;
      });
  }
}

/** The last line of all may say how many more there are. */
const fewest = (changes: string[], most: number): string[] =>
  changes.length > most ? [...changes.slice(0, most), 'and more: see the thread'] : changes;

const shown = (value: Json | undefined, unknown = ''): string => {
  if (value === undefined) return unknown;
  return value === null ? '_absent_' : code(JSON.stringify(value), LONGEST);
};

const VERBS: Record<Step['kind'], string> = {
  'json-patch': 'patch',
  'merge-patch': 'patch',
  apply: 'apply to',
  create: 'create',
  delete: 'delete',
  'delete-znode': 'delete a node through',
  'create-znode': 'create a node through',
};

const verbOf = ({ kind }: Step): string => VERBS[kind] ?? escaped(kind);
