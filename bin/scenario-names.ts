import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where they are. */
export const SCENARIOS = join(import.meta.dirname, '../test/scenarios');

/** The scenarios that can be played: the files of `test/scenarios/`. */
export const scenarioNames = (): string[] =>
  readdirSync(SCENARIOS)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'scenario.ts')
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
