/** Prints the cases as lines `id TAB pattern TAB event`; Answer.java adds event-ruler's answers. Arguments: seed and number of random cases; the same ones print the same lines. */
import { validatePattern } from '../pattern-validate.ts';
import { event, pattern } from './generated.mjs';
import { handwritten } from './handwritten.mjs';
import { randomFrom, spelled } from './random.mjs';

const [seed = 20261121, generated = 5000] = process.argv.slice(2).map(Number);

const print = (id, rule, about) => process.stdout.write(`${id}\t${rule}\t${about}\n`);

for (const [title, rule, ...events] of handwritten) {
  for (const [index, about] of events.entries()) print(`${title}, ${index + 1}`, rule, about);
}
const random = randomFrom(seed);
for (let number = 1; number <= generated; ) {
  const about = event(random);
  const rule = pattern(random, about);
  if (!sound(rule)) continue;
  print(`random ${number++}`, spelled(rule, random), spelled(about, random));
}

/** event-ruler has bugs; the patterns that meet them are refused by validatePattern and stand in handwritten.mjs. */
function sound(rule) {
  try {
    validatePattern(rule);
    return true;
  } catch {
    return false;
  }
}
