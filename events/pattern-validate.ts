import { compile, type Pattern } from './pattern.ts';
import { alternatives, type Paths } from './pattern-alternatives.ts';
import { PatternError } from './pattern-error.ts';
import type { Test } from './pattern-operators.ts';

/** Refuses what EventBridge refuses and what event-ruler answers wrongly: throws PatternError, whose message names the path and the way out. */
export function validatePattern(pattern: Pattern): void {
  const { length } = JSON.stringify(pattern);
  if (length > 2048)
    throw new PatternError(`The pattern is ${length} characters of JSON and EventBridge takes 2,048. Split it into two rules.`);
  compile(pattern);
  const combinations = alternatives(pattern);
  for (const path of new Set(combinations.flatMap((paths) => [...paths.keys()]))) {
    validateTests(
      combinations.flatMap((paths) => paths.get(path) ?? []),
      path,
    );
  }
  for (const [index, later] of combinations.entries()) {
    if (combinations.slice(0, index).some((earlier) => overlap(earlier, later))) {
      throw new PatternError(
        `Two combinations of $or test ${[...later.keys()].join(', ')} with a test in common, and event-ruler drops the second. Write one branch with both lists.`,
      );
    }
  }
}

/** event-ruler 2.0.1 takes a combination for one it has when both name the same paths and share a test of each: [1] hides [1, 2]. */
function overlap(earlier: Paths, later: Paths): boolean {
  if (earlier.size !== later.size) return false;
  return [...later].every(([path, tests]) => {
    const known = new Set(earlier.get(path)?.map(normal));
    return tests.some((test) => known.has(normal(test)));
  });
}

/** The engine keeps a number and an equality with it as one test. */
const normal = (test: Test): string => JSON.stringify(test).replace(/^\{"numeric":\["=",(.*)\]\}$/, '$1');

/** `tests` are all those of one path, from every combination. */
function validateTests(tests: readonly Test[], path: string): void {
  const wild = tests.filter((test) => operators(test).includes('wildcard'));
  const mixed = wild.length > 0 && (wild.length < tests.length || wild.some((test) => operators(test).length > 1));
  if (mixed && new Set(tests.map(normal)).size > 1) {
    throw new PatternError(
      `${path} mixes wildcard with other tests, which event-ruler answers wrongly, even from different branches of $or. Write two rules.`,
    );
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
