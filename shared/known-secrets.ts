import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import type { Range } from './credential-assignments.ts';

/** Rules about files and not text, and the one by which a text could switch the others off. */
const NOT_OURS = ['@secretlint/secretlint-rule-gcp', '@secretlint/secretlint-rule-filter-comments'];

let found: Range[] = [];
const context = {
  createTranslator: () => () => ({}),
  report: ({ range }: { range: Range }) => void found.push(range),
};
const scanners = rules.filter(({ meta }) => !NOT_OURS.includes(meta.id)).map((rule) => rule.create(context, {}));

/** Keys and tokens of services, after the rules that secretlint maintains; in this process and at once. */
export function knownSecretsIn(content: string): Range[] {
  found = [];
  for (const scanner of scanners) scanner.file({ content, contentType: 'text' });
  return found;
}
