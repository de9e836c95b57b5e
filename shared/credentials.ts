import { assignmentsIn, type Range } from './credential-assignments.ts';
import { FORMS } from './credential-forms.ts';
import { encodedIn, urlUsersIn } from './credential-places.ts';

/** Finds credentials in a text by rules of others. */
export type Finder = (text: string) => Range[];

/** No shorter text can hold one. */
const SHORTEST = 6;

/** Where a text holds credentials: parts that do not overlap, in order. Linear in the length of the text, whatever it holds. */
export function credentialsIn(text: string, finders: Finder[] = [], depth = 0): Range[] {
  if (text.length < SHORTEST) return [];
  return joined([
    ...formsIn(text, finders),
    ...assignmentsIn(text),
    ...encodedIn(text, (inner, deeper) => credentialsIn(inner, finders, deeper), depth),
  ]);
}

/** Only what is one by its form: a description says `password: …` without giving one. */
export const formsIn = (text: string, finders: Finder[] = []): Range[] =>
  joined([...FORMS.flatMap((form) => formIn(text, form)), ...urlUsersIn(text), ...finders.flatMap((finder) => finder(text))]);

const formIn = (text: string, form: RegExp): Range[] =>
  [...text.matchAll(form)].map(({ 0: match, index, indices }): Range => indices?.[1] ?? [index, index + match.length]);

function joined(ranges: Range[]): Range[] {
  const all: Range[] = [];
  for (const [from, to] of ranges.sort(([one], [other]) => one - other)) {
    const last = all.at(-1);
    if (last && from < last[1]) last[1] = Math.max(last[1], to);
    else if (to > from) all.push([from, to]);
  }
  return all;
}
