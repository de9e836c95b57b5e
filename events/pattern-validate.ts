import { compile, type Pattern } from './pattern.ts';
import { alternatives } from './pattern-alternatives.ts';
import { PatternError } from './pattern-error.ts';
import type { Test } from './pattern-operators.ts';

/** Refuses what EventBridge refuses and what event-ruler answers wrongly: throws PatternError, whose message names the path and the way out. */
export function validatePattern(pattern: Pattern): void {
  const { length } = JSON.stringify(pattern);
  if (length > 2048)
    throw new PatternError(`The pattern is ${length} characters of JSON and EventBridge takes 2,048. Split it into two rules.`);
  compile(pattern);
  for (const paths of alternatives(pattern)) for (const [path, tests] of paths) validateTests(tests, path);
}

function validateTests(tests: readonly Test[], path: string): void {
  if (tests.length > 1 && tests.some((test) => operators(test).includes('wildcard'))) {
    throw new PatternError(`${path} mixes wildcard with other tests, which event-ruler answers wrongly. Give each its own branch of $or.`);
  }
  for (const test of tests) {
    const json = JSON.stringify(test);
    const used = operators(test);
    if (used.includes('equals-ignore-case') && /[\ud800-\udfff]/.test(json)) {
      throw new PatternError(
        `${path} ignores the case of a character beyond U+FFFF, which event-ruler never matches: ${json}. Leave it out.`,
      );
    }
    if (used.includes('numeric') && json.match(/-?\d[\d.e+-]*/g)?.some((bound) => Math.abs(Number(bound)) > 5e9)) {
      throw new PatternError(
        `${path} has a numeric bound beyond ±5e9, where EventBridge does not compare: ${json}. Let the exporter compare.`,
      );
    }
    if (used.includes('cidr') && json.includes('/0"')) {
      throw new PatternError(`${path} takes every address, and in event-ruler numbers too: ${json}. Write { "exists": true }.`);
    }
  }
}

/** The operators of a test: `{"anything-but": {"prefix": "a"}}` has two. */
const operators = (test: unknown): string[] =>
  typeof test === 'object' && test !== null && !Array.isArray(test)
    ? Object.entries(test).flatMap(([name, operand]) => [name, ...operators(operand)])
    : [];
